import { expect, test } from "bun:test";
import { AgentEventBody, ForwardFailure } from "../../src/wire/audit-event.ts";
import { REASON_CODES } from "../../src/wire/reason.ts";

const close = {
  ...{ type: "forward.close", connectionId: "c".repeat(20), userId: null, forwardId: 0, kind: "remote" },
  ...{ destination: "localhost:8080", reason: null, bytesIn: 0, bytesOut: 0, durationMs: 0 },
};

test.each([
  ["an ordinary end", {}, true],
  ["a reason of policy", { reason: "map_stale" }, true],
  ["the operating system's answer", { reason: "in_use" }, true],
  ["a reason in words", { reason: "Address already in use" }, false],
  ["fewer bytes than none", { bytesIn: -1 }, false],
  ["no number", { forwardId: undefined }, false],
  ["a field that nobody knows", { command: "id" }, false],
])("a forward.close with %s is stored: %p", (_name, change, isStored) => {
  expect(AgentEventBody.safeParse({ ...close, ...change }).success).toBe(isStored);
});

test("what failed and what was denied have names of their own", () => {
  const denials: readonly string[] = REASON_CODES;
  expect(ForwardFailure.options.filter((name) => denials.includes(name))).toEqual([]);
});
