import { expect, test } from "bun:test";
import { Action, COMMAND_BYTES_MAX, DecisionRecord, Grant, RuleOutcome } from "../../src/wire/decision.ts";
import { RULE_OUTCOMES } from "../../src/wire/rule-outcome.ts";
import { testShape } from "../support/shapes.ts";

const id = "r".repeat(20);

test.each([
  { kind: "connect" },
  { kind: "shell" },
  { kind: "exec", command: "x".repeat(COMMAND_BYTES_MAX) },
  { kind: "pty" },
  { kind: "sftp" },
  { kind: "agent_forwarding" },
  { kind: "x11_forwarding" },
  { kind: "local_forward", host: "db", port: 0 },
  { kind: "remote_forward", host: "", port: 65_535 },
  { kind: "local_socket", path: "/run/a" },
  { kind: "remote_socket", path: "/run/b" },
])("%j is an action", (action) => {
  expect(Action.safeParse(action)).toMatchObject({ success: true, data: action });
});

test.each([
  { kind: "reboot" },
  { kind: "shell", command: "x" },
  { kind: "exec" },
  { kind: "exec", command: "x".repeat(COMMAND_BYTES_MAX + 1) },
  { kind: "local_forward", host: "db" },
  { kind: "local_forward", host: "db", port: 65_536 },
  { kind: "local_forward", host: "h".repeat(1025), port: 1 },
  { kind: "local_socket", path: "p".repeat(4097) },
])("an action of another form is refused (%#)", (action) => {
  expect(Action.safeParse(action).success).toBe(false);
});

test("an outcome is one of the list, and nothing else", () => {
  expect(RULE_OUTCOMES.every((outcome) => RuleOutcome.safeParse(outcome).success)).toBe(true);
  expect(RuleOutcome.safeParse("maybe").success).toBe(false);
});

testShape(
  "a decision",
  DecisionRecord,
  { outcome: "deny", reason: "posture_failed", ruleId: null, trace: [{ ruleId: id, outcome: "disabled" }] },
  {
    changes: [
      { outcome: "maybe" },
      { reason: "because" },
      { reason: undefined },
      { ruleId: "r" },
      { trace: [{ ruleId: id, outcome: "because" }] },
      { trace: [{ ruleId: id, outcome: "disabled", more: 1 }] },
    ],
  },
);
testShape(
  "a grant",
  Grant,
  { ruleId: id, capabilities: { pty: false }, validUntilSeconds: null },
  { changes: [{ capabilities: { teleport: true } }, { validUntilSeconds: 0.5 }, { ruleId: null }] },
);
