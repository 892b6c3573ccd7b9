import { expect, test } from "bun:test";
import { groupsOfRule } from "../../../src/policy/code/rule-groups.ts";
import { anId } from "../../support/policy.ts";

const GROUP = anId("web");
const RULE = {
  name: "them",
  enabled: true,
  action: "accept",
  bidirectional: false,
  protocol: "qufabric-ssh",
};

test.each([
  ["sources", [GROUP]],
  ["destinations", [GROUP]],
  ["source_devices", [GROUP]],
  ["allow_intercepted", [GROUP]],
  ["approver_groups", [GROUP]],
  ["authorized_groups", { [GROUP]: ["deploy"] }],
])("a rule names the groups in %s", (field, value) => {
  expect([...groupsOfRule({ ...RULE, [field]: value } as Parameters<typeof groupsOfRule>[0])]).toEqual([
    GROUP,
  ]);
});

test("a group named twice is one, and a rule without groups names none", () => {
  const rule = RULE as Parameters<typeof groupsOfRule>[0];
  expect(groupsOfRule({ ...rule, sources: [GROUP], destinations: [GROUP] }).size).toBe(1);
  expect(groupsOfRule(rule).size).toBe(0);
});
