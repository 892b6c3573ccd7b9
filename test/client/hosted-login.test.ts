/** The hosted sign-in at the terminal: it ends when its page ends, whether or not anybody types a code. */
import { afterEach, expect, test } from "bun:test";
import { systemClock } from "../../src/base/clock.ts";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { isQfError } from "../../src/base/errors.ts";
import { createClientApi } from "../../src/client/client-api.ts";
import { hostedLogin } from "../../src/client/hosted-login.ts";
import type { Terminal } from "../../src/client/terminal.ts";
import { type FakeManagement, startFakeManagement } from "../support/fake-management.ts";

const fakes: FakeManagement[] = [];
afterEach(() => {
  for (const fake of fakes.splice(0)) fake.close();
});

function aFake(): FakeManagement {
  const fake = startFakeManagement();
  fakes.push(fake);
  return fake;
}

/** Somebody who sees the prompt and types nothing, unless told what. */
function aTerminal(types: (signal: AbortSignal) => Promise<string> = never): Terminal {
  return { say: () => {}, canAsk: () => true, ask: (_prompt, signal) => types(signal) };
}

function never(signal: AbortSignal): Promise<string> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

async function login(fake: FakeManagement, terminal = aTerminal()): Promise<string> {
  const options = { deviceName: "laptop", target: "", localUser: "", fresh: false, pollMs: 5 };
  const work = hostedLogin({
    ...options,
    api: createClientApi({ url: fake.url }),
    clock: systemClock,
    loginKey: generateEd25519(),
    signal: AbortSignal.timeout(10_000),
    terminal,
  });
  return work.then(
    ({ kind }) => kind,
    (error: unknown) => (isQfError(error) ? `${error.code}: ${error.message}; ${error.hint}` : String(error)),
  );
}

test("Deny on the page ends it while the prompt waits", async () => {
  const fake = aFake();
  const waiting = login(fake);
  fake.code = "denied";
  expect(await waiting).toBe("ERR_LOGIN_FAILED: the sign-in was refused; start again");
});

test.each<[failure: { code: string; message: string; hint?: string }, want: string]>([
  [{ code: "ERR_LOGIN_FAILED", message: "no ID token", hint: "ask" }, "ERR_LOGIN_FAILED: no ID token; ask"],
  [{ code: "ERR_UNAVAILABLE", message: "it is away" }, "ERR_UNAVAILABLE: it is away; start again"],
  [
    { code: "ERR_ACCESS_DENIED", message: "User is blocked" },
    "ERR_ACCESS_DENIED: User is blocked; start again",
  ],
  // A code that would make this terminal do something else than end is none of a failed sign-in.
  [{ code: "ERR_LOGIN_REQUIRED", message: "too old" }, "ERR_LOGIN_FAILED: too old; start again"],
  [{ code: "made up", message: "a\u001b[31m\nb" }, "ERR_LOGIN_FAILED: a [31m b; start again"],
])("a failure %p ends it in the words of the page", async (failure, want) => {
  const fake = aFake();
  const waiting = login(fake);
  fake.failure = failure;
  expect(await waiting).toBe(want);
});

test("a code that is typed counts whatever the looks at the page say meanwhile", async () => {
  const fake = aFake();
  fake.code = "ABCD-EFGH";
  expect(
    await login(
      fake,
      aTerminal(() => Bun.sleep(30).then(() => "ABCD-EFGH")),
    ),
  ).toBe("claimed");
});
