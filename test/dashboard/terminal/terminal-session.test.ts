import { afterEach, expect, test } from "bun:test";
import { SshFailure } from "../../../src/browser-ssh/failure.ts";
import { ApiError } from "../../../src/dashboard/api/client.ts";
import { DeniedError } from "../../../src/dashboard/terminal/machine-way.ts";
import {
  endingOf,
  isWorthAnotherTry,
  TerminalSession,
} from "../../../src/dashboard/terminal/terminal-session.ts";
import { until } from "../../support/until.ts";

test("an end says why, and what can be done", () => {
  const denied = { outcome: "denied", sentence: "no", receipt: "r1", hint: "ask" } as const;
  expect(endingOf(new DeniedError({ ...denied, reason: "reason_required" }))).toEqual({
    ...{ message: "No.", hint: "Ask.", receipt: "r1", wantsReason: true, isLost: false },
  });
  expect(endingOf(new DeniedError({ ...denied, reason: "device_blocked" })).wantsReason).toBe(false);
  const about = { status: 400, code: "ERR_BAD_REQUEST", hint: "Do.", requestId: null };
  expect(endingOf(new ApiError("Bad.", about))).toMatchObject({ message: "Bad.", hint: "Do." });
  expect(endingOf(new SshFailure("lost", "the way is gone"))).toMatchObject({
    ...{ message: "The way is gone", isLost: true },
  });
  expect(endingOf(null).hint).toBeNull();
  expect(endingOf("something")).toMatchObject({ receipt: null, wantsReason: false });
});

test("a login is kept for what may turn while the page waits, and for nothing else", () => {
  const denied = { outcome: "denied", sentence: "no", receipt: "r1" } as const;
  const kept = (reason: "approval_required" | "reason_required" | "device_pending" | "user_blocked") =>
    isWorthAnotherTry(new DeniedError({ ...denied, reason }));
  expect([kept("approval_required"), kept("reason_required"), kept("device_pending")]).toEqual([
    true,
    true,
    true,
  ]);
  expect(kept("user_blocked")).toBe(false);
  expect(isWorthAnotherTry(new SshFailure("lost", "gone"))).toBe(true);
  expect(isWorthAnotherTry(new SshFailure("ended", "access was taken away"))).toBe(false);
  expect(isWorthAnotherTry(new Error("something"))).toBe(false);
});

const { fetch: realFetch } = globalThis;
afterEach(() => {
  globalThis.fetch = realFetch;
  Reflect.deleteProperty(globalThis, "indexedDB");
});

/** In the place of management, answers by path. `poll` gives the answer to each claim without a code. */
function answerPage(claim: { poll: (count: number) => Promise<Response>; code: () => Response }) {
  const asked = { polls: 0 };
  const hosted = { id: "h", pollSecret: "s", url: "http://127.0.0.1/login", confirmation: "code" };
  globalThis.fetch = (async (path: string, { body }: RequestInit) => {
    if (path.endsWith("/config")) return Response.json({ accountId: "a", origin: "http://127.0.0.1" });
    if (!path.endsWith("/claim")) return Response.json(hosted);
    if ("code" in JSON.parse(String(body))) return claim.code();
    asked.polls += 1;
    return claim.poll(asked.polls);
  }) as never;
  const opened = { result: { close: () => {} }, onsuccess: () => {} };
  const open = () => {
    queueMicrotask(() => opened.onsuccess());
    return opened;
  };
  Object.assign(globalThis, { indexedDB: { open } });
  return asked;
}

test("a poll that a code has overtaken ends nothing, whatever it is told", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const used = { error: "ERR_NOT_FOUND", message: "this sign-in was used already" };
  const asked = answerPage({
    poll: async (count) => {
      await gates[count === 1 ? 0 : 1].promise;
      return Response.json(used, { status: 404 });
    },
    code: () => Response.json({ status: "wrong_code", triesLeft: 2 }),
  });
  const session = new TerminalSession({ target: "web1", localUser: "ada" }, "u");
  const begun = session.begin();
  await until("the page polls", () => asked.polls === 1);
  await session.giveCode("ABCD");
  const problem = expect.stringContaining("2 tries are left");
  gates[0].resolve();
  await begun;
  expect(session.state()).toMatchObject({ step: "sign-in", problem });
  // The next poll counts.
  gates[1].resolve();
  await until("the sign-in is over", () => session.state().step === "ended");
  expect(session.state()).toMatchObject({ ending: { message: "This sign-in was used already." } });
});
