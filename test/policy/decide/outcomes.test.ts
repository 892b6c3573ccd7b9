import { expect, test } from "bun:test";
import { denialOfAction } from "../../../src/policy/decide/capabilities.ts";
import { OUTCOME, outcomeName } from "../../../src/policy/decide/outcomes.ts";
import type { Action } from "../../../src/wire/decision.ts";
import { RuleOutcome } from "../../../src/wire/decision.ts";
import { REASON_CODES } from "../../../src/wire/reason.ts";
import { CAPABILITY_OUTCOMES, OBLIGATION_OUTCOMES, RULE_OUTCOMES } from "../../../src/wire/rule-outcome.ts";
import { allFlags } from "../../support/policy.ts";

test("an outcome's number is its place in the one list, and leads back to its name", () => {
  expect(RULE_OUTCOMES.map((name) => OUTCOME[name])).toEqual(RULE_OUTCOMES.map((_, place) => place));
  expect(RULE_OUTCOMES.map((name) => outcomeName(OUTCOME[name]))).toEqual([...RULE_OUTCOMES]);
  expect(RuleOutcome.options).toEqual([...RULE_OUTCOMES]);
});

test.each([[-1], [RULE_OUTCOMES.length], [255], [Number.NaN]])(
  "outcomeName of %p, a number that is nobody's, is one that grants nothing",
  (code) => {
    expect(outcomeName(code)).toBe("disabled");
  },
);

test("a byte holds every outcome, as a trace keeps them", () => {
  expect(RULE_OUTCOMES.length).toBeLessThan(256);
  expect(new Set(RULE_OUTCOMES).size).toBe(RULE_OUTCOMES.length);
});

// Each pair: the earlier condition is tested first, so the later outcome came nearer to a grant.
test.each([
  ["disabled", "other_protocol"],
  ["other_protocol", "not_destination"],
  ["drop_not_matching", "user_not_in_groups"],
  ["user_not_in_groups", "unmanaged_device"],
  ["unmanaged_device", "device_not_in_sources"],
  ["device_not_in_sources", "device_not_in_source_devices"],
  ["device_not_in_source_devices", "browser_not_allowed"],
  ["browser_not_allowed", "local_user_not_listed"],
  ["local_user_not_listed", "posture_failed"],
  ["posture_failed", "outside_validity"],
  ["outside_validity", "outside_schedule"],
  ["outside_schedule", "reauth_unprovable"],
  ["reauth_unprovable", "reauth_required"],
  ["recording_unavailable", "not_recordable"],
  ["not_recordable", "shell_not_allowed"],
  ["x11_not_available", "granted"],
  ["granted", "dropped"],
] as const)("%s is further from a grant than %s", (further, nearer) => {
  expect(OUTCOME[further]).toBeLessThan(OUTCOME[nearer]);
});

test("what a rule's obligations and capabilities refuse is a reason as it stands", () => {
  const reasons = new Set<string>(REASON_CODES);
  expect([...OBLIGATION_OUTCOMES, ...CAPABILITY_OUTCOMES].filter((name) => !reasons.has(name))).toEqual([]);
  expect(reasons.size).toBe(REASON_CODES.length);
});

test("whatever a capability denies is among the outcomes of capabilities", () => {
  const actions: Action[] = [
    { kind: "shell" },
    { kind: "exec", command: "/bin/false" },
    { kind: "exec", command: "scp -t /" },
    { kind: "pty" },
    { kind: "sftp" },
    { kind: "agent_forwarding" },
    { kind: "x11_forwarding" },
    { kind: "local_forward", host: "db", port: 5432 },
    { kind: "remote_forward", host: "0.0.0.0", port: 80 },
    { kind: "local_socket", path: "/run/a" },
    { kind: "remote_socket", path: "/run/b" },
  ];
  const grants = [
    { commands: ["/bin/true"] },
    { pty: false, sftp: "off", agent_forwarding: false, local_forward: [], remote_forward: [] },
    { sftp: "read", local_forward: ["web:80"], remote_forward: ["localhost:80"] },
  ] as const;
  const denials = grants.flatMap((grant) =>
    actions.map((action) => denialOfAction(action, structuredClone(grant) as never, allFlags)),
  );
  const outcomes = new Set<string>(CAPABILITY_OUTCOMES);
  const named = denials.filter((denial) => denial !== null);
  expect(named.filter((denial) => !outcomes.has(denial))).toEqual([]);
  expect(new Set(named).size).toBe(CAPABILITY_OUTCOMES.length);
});
