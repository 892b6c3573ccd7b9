import { describe, expect, test } from "bun:test";
import { generateEd25519, signEd25519 } from "../../src/base/ed25519.ts";
import { checkHello, type HelloContext, makeHello, parseHello } from "../../src/fabric/hello.ts";
import { createReplayCache } from "../../src/fabric/replay-cache.ts";
import { HELLO_BYTES_MAX, HELLO_PREFIX } from "../../src/wire/hello.ts";
import { signedBytes } from "../../src/wire/signed-fields.ts";

const SELF = "m".repeat(20);
const SOURCE = "d".repeat(20);
const NOW = 1_800_000_000;
const scope = { accountId: "a".repeat(20), origin: "https://qf.example.com" };
const deviceKey = generateEd25519();
const otherKey = generateEd25519();

function aContext(change: Partial<HelloContext> = {}): HelloContext {
  return {
    scope,
    self: SELF,
    startSeconds: NOW - 30,
    nowSeconds: NOW,
    deviceKeyOf: (id) => (id === SOURCE ? deviceKey.publicKey : undefined),
    refuse: () => null,
    replays: createReplayCache(),
    ...change,
  };
}

function aLine(change: Partial<Parameters<typeof makeHello>[0]> = {}): string {
  const options = { deviceKey, scope, source: SOURCE, target: SELF, port: 22, nowSeconds: NOW, ...change };
  return makeHello(options).slice(0, -1);
}

/** A line with some fields replaced after signing. */
function tampered(change: Record<string, unknown>): string {
  const [, body = "", signature = ""] = aLine().split(" ");
  const hello = { ...JSON.parse(Buffer.from(body, "base64url").toString()), ...change };
  return `${HELLO_PREFIX}${Buffer.from(JSON.stringify(hello)).toString("base64url")} ${signature}`;
}

/** A signed hello in JSON with so much space in it that the line is longer than any of ours. */
function longLine(): string {
  const [, body = "", signature = ""] = aLine().split(" ");
  const json = Buffer.from(body, "base64url")
    .toString()
    .replace("{", `{${" ".repeat(1_000)}`);
  return `${HELLO_PREFIX}${Buffer.from(json).toString("base64url")} ${signature}`;
}

const via = { by: "intercept", localUser: "deploy" } as const;

function outcome(line: string, context = aContext()): string {
  const answer = checkHello(line, context);
  return answer.ok ? "ok" : answer.refusal;
}

describe("checkHello", () => {
  const nonce = "n".repeat(22);
  test.each([
    { name: "takes a fresh hello for 22", line: aLine(), want: "ok" },
    { name: "takes a fresh hello for 22022", line: aLine({ port: 22_022 }), want: "ok" },
    { name: "takes a fresh hello for a ping", line: aLine({ port: 7 }), want: "ok" },
    { name: "takes one for another program", line: aLine({ via }), want: "ok" },
    { name: "refuses a ping of another program", line: aLine({ port: 7, via }), want: "other_port" },
    { name: "refuses another program said afterwards", line: tampered({ via }), want: "bad_signature" },
    {
      name: "refuses a program of an account that cannot be",
      line: tampered({ via: { by: "intercept", localUser: "-a" } }),
      want: "malformed",
    },
    {
      name: "refuses another way",
      line: tampered({ via: { by: "browser", localUser: null } }),
      want: "malformed",
    },
    { name: "takes a clock 60 s ahead", line: aLine({ nowSeconds: NOW + 60 }), want: "ok" },
    { name: "refuses a clock 61 s ahead", line: aLine({ nowSeconds: NOW + 61 }), want: "clock_skew" },
    { name: "refuses a clock 61 s behind", line: aLine({ nowSeconds: NOW - 61 }), want: "clock_skew" },
    { name: "takes one made as this process started", line: aLine({ nowSeconds: NOW - 30 }), want: "ok" },
    { name: "refuses one made before", line: aLine({ nowSeconds: NOW - 31 }), want: "before_start" },
    { name: "refuses the port beside a ping's", line: aLine({ port: 8 }), want: "other_port" },
    { name: "refuses another target", line: aLine({ target: "x".repeat(20) }), want: "other_target" },
    { name: "refuses another port", line: aLine({ port: 443 }), want: "other_port" },
    {
      name: "refuses a source it does not know",
      line: aLine({ source: "x".repeat(20) }),
      want: "source_unknown",
    },
    { name: "refuses another device's key", line: aLine({ deviceKey: otherKey }), want: "bad_signature" },
    {
      name: "refuses a signature made for another account",
      line: aLine({ scope: { ...scope, accountId: "b".repeat(20) } }),
      want: "bad_signature",
    },
    {
      name: "refuses a signature made for another management",
      line: aLine({ scope: { ...scope, origin: "https://evil.example.com" } }),
      want: "bad_signature",
    },
    { name: "refuses a changed source", line: tampered({ source: "x".repeat(20) }), want: "source_unknown" },
    { name: "refuses a changed target", line: tampered({ target: "x".repeat(20) }), want: "other_target" },
    { name: "refuses a changed port", line: tampered({ port: 22_022 }), want: "bad_signature" },
    { name: "refuses a changed time", line: tampered({ timeSeconds: NOW + 1 }), want: "bad_signature" },
    { name: "refuses a changed nonce", line: tampered({ nonce }), want: "bad_signature" },
    { name: "refuses an unknown field", line: tampered({ admin: true }), want: "malformed" },
    { name: "refuses a short nonce", line: tampered({ nonce: "n" }), want: "malformed" },
    { name: "refuses a time that is no integer", line: tampered({ timeSeconds: 1.5 }), want: "malformed" },
    { name: "refuses another version", line: aLine().replace("/1", "/2"), want: "malformed" },
    { name: "refuses trailing text", line: `${aLine()} `, want: "malformed" },
    { name: "refuses a carriage return", line: `${aLine()}\r`, want: "malformed" },
    { name: "refuses a line that is too long", line: `${aLine()}${"A".repeat(1024)}`, want: "malformed" },
    { name: "refuses a line of the right form that is too long", line: longLine(), want: "malformed" },
    { name: "refuses an SSH identification", line: "SSH-2.0-OpenSSH_10.1", want: "malformed" },
    { name: "refuses nothing", line: "", want: "malformed" },
  ])("$name", ({ line, want }) => {
    expect(outcome(line)).toBe(want);
  });

  test("refuses a signature for another purpose over the same fields", () => {
    const hello = parseHello(aLine())?.hello;
    if (hello === undefined) throw new Error("our own hello does not parse");
    const { source, target, port, timeSeconds } = hello;
    const fields = { source, target, port, timeSeconds, nonce: hello.nonce };
    const signature = signEd25519(deviceKey, signedBytes("mint", scope, fields));
    const line = `${HELLO_PREFIX}${Buffer.from(JSON.stringify(hello)).toString("base64url")} ${signature}`;
    expect(outcome(line)).toBe("bad_signature");
  });

  test("refuses the same hello again for as long as its time would pass", () => {
    const replays = createReplayCache();
    const line = aLine({ nowSeconds: NOW + 60 });
    expect(outcome(line, aContext({ replays }))).toBe("ok");
    expect(outcome(line, aContext({ replays }))).toBe("replayed");
    expect(outcome(line, aContext({ replays, nowSeconds: NOW + 120 }))).toBe("replayed");
    expect(outcome(line, aContext({ replays, nowSeconds: NOW + 121 }))).toBe("clock_skew");
  });

  test("takes a hello of a clock that is behind, after those of clocks that are not were forgotten", () => {
    const replays = createReplayCache();
    expect(outcome(aLine(), aContext({ replays }))).toBe("ok");
    const later = aContext({ replays, nowSeconds: NOW + 20 });
    expect(outcome(aLine({ nowSeconds: NOW - 30 }), later)).toBe("ok");
  });

  test("refuses a hello that it cannot remember, and says why", () => {
    const replays = createReplayCache({ entriesMax: 1 });
    expect(outcome(aLine(), aContext({ replays }))).toBe("ok");
    expect(outcome(aLine(), aContext({ replays }))).toBe("replay_cache_full");
    const one = createReplayCache({ perSourceMax: 1 });
    expect(outcome(aLine(), aContext({ replays: one }))).toBe("ok");
    expect(outcome(aLine(), aContext({ replays: one }))).toBe("replay_cache_full");
  });

  test("refuses a hello of before once the clock was ahead and is set back", () => {
    const replays = createReplayCache();
    const line = aLine();
    expect(outcome(line, aContext({ replays }))).toBe("ok");
    const later = NOW + 600;
    expect(outcome(aLine({ nowSeconds: later }), aContext({ replays, nowSeconds: later }))).toBe("ok");
    expect(outcome(line, aContext({ replays }))).toBe("replayed");
    expect(outcome(aLine({ nowSeconds: NOW + 1 }), aContext({ replays }))).toBe("ok");
  });

  test("remembers nothing of a hello that is not proven", () => {
    const replays = createReplayCache();
    outcome(aLine({ deviceKey: otherKey }), aContext({ replays }));
    expect(replays.size).toBe(0);
  });
});

test("a device that may not come leaves nothing behind, however often it tries", () => {
  const replays = createReplayCache();
  const context = aContext({ replays, refuse: () => "network_not_allowed" });
  const line = aLine();
  expect([outcome(line, context), outcome(line, context)]).toEqual(["not_allowed", "not_allowed"]);
  expect(replays.size).toBe(0);
});

describe("createReplayCache", () => {
  test("refuses new nonces when it is full, and keeps the old", () => {
    const cache = createReplayCache({ entriesMax: 2, perSourceMax: 2 });
    expect(cache.take("a", "1", 100, 50)).toBe("fresh");
    expect(cache.take("b", "1", 100, 50)).toBe("fresh");
    expect(cache.take("c", "1", 100, 50)).toBe("full");
    expect(cache.take("a", "1", 100, 50)).toBe("replayed");
  });

  test("keeps one source from filling it", () => {
    const cache = createReplayCache({ entriesMax: 10, perSourceMax: 1 });
    expect(cache.take("a", "1", 100, 50)).toBe("fresh");
    expect(cache.take("a", "2", 100, 50)).toBe("full");
    expect(cache.take("b", "1", 100, 50)).toBe("fresh");
  });

  test("takes nothing again that it has forgotten, although the clock is set back", () => {
    const cache = createReplayCache();
    expect(cache.take("a", "1", 100, 50)).toBe("fresh");
    expect(cache.take("a", "2", 200, 150)).toBe("fresh");
    expect(cache.take("a", "1", 100, 50)).toBe("replayed");
    expect(cache.take("a", "3", 100, 50)).toBe("replayed");
    expect(cache.take("a", "3", 101, 50)).toBe("fresh");
  });

  test("has room again once entries are out of date", () => {
    const cache = createReplayCache({ entriesMax: 1 });
    expect(cache.take("a", "1", 100, 50)).toBe("fresh");
    expect(cache.take("a", "2", 160, 100)).toBe("full");
    expect(cache.take("a", "2", 160, 102)).toBe("fresh");
    expect(cache.size).toBe(1);
  });
});

test("a hello carries a checkpoint, signed with the rest of it, within its bound", () => {
  const deviceKey = generateEd25519();
  const checkpoint = {
    size: 2 ** 52,
    root: Buffer.alloc(32, 1).toString("base64"),
    signature: Buffer.alloc(64, 2).toString("base64url"),
  };
  const [source, target] = ["p34hgk3f9s8d7f6g5h4j", "q34hgk3f9s8d7f6g5h4j"] as const;
  const scope = { accountId: "d34hgk3f9s8d7f6g5h4j", origin: "https://qf.example.com" };
  const options = { deviceKey, scope, source, target, port: 22, nowSeconds: 1_000 };
  const line = makeHello({ ...options, checkpoint });
  expect(line.length).toBeLessThan(HELLO_BYTES_MAX);
  const check = (text: string) =>
    checkHello(text.trimEnd(), {
      scope,
      self: target,
      startSeconds: 0,
      nowSeconds: 1_000,
      deviceKeyOf: () => deviceKey.publicKey,
      refuse: () => null,
      replays: createReplayCache(),
    });
  expect(check(line)).toMatchObject({ ok: true, hello: { checkpoint } });
  const [prefix, body = "", signature] = line.trimEnd().split(" ");
  const hello = JSON.parse(Buffer.from(body, "base64url").toString("utf8"));
  const forged = (change: object) =>
    `${prefix} ${Buffer.from(JSON.stringify({ ...hello, ...change })).toString("base64url")} ${signature}`;
  expect(check(forged({ checkpoint: { ...checkpoint, size: 1 } }))).toMatchObject({
    refusal: "bad_signature",
  });
  expect(check(forged({ checkpoint: undefined }))).toMatchObject({ refusal: "bad_signature" });
  expect(check(forged({ checkpoint: { size: 1 } }))).toMatchObject({ refusal: "malformed" });
});
