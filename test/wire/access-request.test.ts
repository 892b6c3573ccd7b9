import { expect, test } from "bun:test";
import { AccessDecision, AccessRequestWrite } from "../../src/wire/access-request.ts";

const asked = { kind: "machine", machine: "web1", local_user: "deploy", reason: "INC-7", seconds: 60 };

test.each<[string, object, boolean]>([
  ["as it should be", {}, true],
  ["without a reason", { reason: null }, true],
  ["for less than a minute", { seconds: 59 }, false],
  ["for half a second more", { seconds: 60.5 }, false],
  ["for years", { seconds: 100_000_000 }, false],
  ["with a reason of two characters", { reason: "no" }, false],
  ["with a line break", { reason: "one\ntwo" }, false],
  ["with a terminal's escape", { reason: "\u001b[2Jx" }, false],
  ["as nobody's name", { local_user: "" }, false],
  ["of no kind", { kind: "other" }, false],
])("a request %s", (_, change, ok) => {
  expect(AccessRequestWrite.safeParse({ ...asked, ...change }).success).toBe(ok);
});

test("a decision says which, and about what was shown", () => {
  expect(AccessDecision.safeParse({ decision: "approve", digest: "x" }).success).toBe(true);
  expect(AccessDecision.safeParse({ decision: "approve" }).success).toBe(false);
  expect(AccessDecision.safeParse({ decision: "yes", digest: "x" }).success).toBe(false);
});
