import { afterAll, beforeAll, expect, test } from "bun:test";
import { QfError } from "../../src/base/errors.ts";
import { ANSWER_BYTES_MAX, createClientApi } from "../../src/client/client-api.ts";
import { startClosingServer } from "../support/closing-server.ts";
import { FakeClock } from "../support/fake-clock.ts";

let answer: () => Response = () => new Response("");
let server: ReturnType<typeof Bun.serve>;
let url = "";

beforeAll(() => {
  server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => answer() });
  url = `http://127.0.0.1:${server.port}`;
});
afterAll(() => void server.stop(true));

async function failureOf(work: Promise<unknown>): Promise<QfError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof QfError) return error;
  throw new Error(`no QfError but ${String(error)}`);
}

function aConfig(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    protocolVersion: 1,
    accountId: "a".repeat(20),
    origin: url,
    domain: "qf.internal",
    oidc: { issuer: `${url}/idp`, clientId: "c", scope: "openid", loopback: true, promptLogin: true },
    loginConfirmation: "code",
    loginSecondsMax: 43_200,
    ...change,
  };
}

test("config refuses a server that calls itself something else", async () => {
  answer = () => Response.json(aConfig({ origin: "https://evil.example.com" }));
  expect((await failureOf(createClientApi({ url }).config())).message).toContain("calls itself");
});

test("a request after a person's pause is not lost by the end of the connection before it", async () => {
  using closing = startClosingServer(JSON.stringify({ challenge: "c".repeat(43), expiresAtSeconds: 1 }));
  const clock = new FakeClock();
  const api = createClientApi({ url: closing.url, clock });
  for (let i = 0; i < 4; i++) {
    expect((await api.challenge()).challenge).toBe("c".repeat(43));
    clock.advanceMs(2_000);
  }
});

test("config refuses a newer protocol", async () => {
  answer = () => Response.json(aConfig({ protocolVersion: 2 }));
  expect((await failureOf(createClientApi({ url }).config())).message).toContain("newer protocol");
});

test("config takes fields that it does not know", async () => {
  answer = () => Response.json(aConfig({ news: true }));
  expect((await createClientApi({ url }).config()).origin).toBe(url);
});

test.each([
  ["an answer that lacks a field", () => Response.json(aConfig({ accountId: undefined })), "makes no sense"],
  ["an answer that is no JSON", () => new Response("<html>"), "makes no sense"],
  ["an error without our body", () => new Response("bad gateway", { status: 502 }), "HTTP status 502"],
  ["a redirect", () => Response.redirect("https://evil.example.com/"), "redirect"],
  ["an endless answer", () => new Response("x".repeat(ANSWER_BYTES_MAX + 1)), "too long"],
])("a request refuses %s", async (_what, give, want) => {
  answer = give;
  const error = await failureOf(createClientApi({ url }).config());
  expect(error.code).toBe("ERR_UNAVAILABLE");
  expect(error.message).toContain(want);
});

test("a refusal becomes an error with the server's code, words and hint, on one line", async () => {
  const body = {
    code: 401,
    message: "no\nsuch \u001b[31mlogin",
    error: "ERR_LOGIN_REQUIRED",
    hint: "sign in",
  };
  answer = () => Response.json(body, { status: 401 });
  const error = await failureOf(createClientApi({ url }).challenge());
  expect(error.code).toBe("ERR_LOGIN_REQUIRED");
  expect(error.message).toBe("no such  [31mlogin");
  expect(error.hint).toBe("sign in");
});

test("a refusal with a code nobody knows is told by its status", async () => {
  answer = () => Response.json({ code: 409, message: "m", error: "toString" }, { status: 409 });
  expect((await failureOf(createClientApi({ url }).challenge())).code).toBe("ERR_CONFLICT");
});

test("a server that is not there, or does not answer, is one line", async () => {
  const nobody = await failureOf(createClientApi({ url: "http://127.0.0.1:1" }).config());
  expect(nobody.message).toBe("cannot reach management at http://127.0.0.1:1: connection refused");
  answer = () => new Response(new ReadableStream({ start: () => {} }));
  const slow = await failureOf(createClientApi({ url, timeoutMs: 50 }).config());
  expect(slow.message).toContain("no answer in time");
});
