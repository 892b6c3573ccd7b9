import { expect, test } from "bun:test";
import { mapRuleOf } from "../../../src/policy/maps/map-rule.ts";
import type { PolicyRuleWrite } from "../../../src/wire/policy.ts";

const policy = { id: "p", enabled: true, sourcePostureChecks: ["c"] };
const asWritten: PolicyRuleWrite = {
  ...{ name: "n", enabled: true, action: "accept", bidirectional: false, protocol: "tcp" },
  ...{ sources: ["g"], destinations: ["h"], ports: ["80"], authorized_groups: { g: ["a"] } },
};

test("a rule holds while it and its policy are enabled", () => {
  const enabledOf = (inPolicy: boolean, itself: boolean): boolean =>
    mapRuleOf({ ...policy, enabled: inPolicy }, "r", { ...asWritten, enabled: itself }).enabled;
  expect([enabledOf(true, true), enabledOf(false, true), enabledOf(true, false)]).toEqual([
    true,
    false,
    false,
  ]);
});

test("ports are ranges, checks are the policy's, and only SSH rules have OS users of groups", () => {
  const rule = mapRuleOf(policy, "r", asWritten);
  expect(rule).toMatchObject({
    id: "r",
    policyId: "p",
    ports: [{ start: 80, end: 80 }],
    postureChecks: ["c"],
  });
  expect(rule.authorizedGroups).toEqual({});
  expect(mapRuleOf(policy, "r", { ...asWritten, protocol: "netbird-ssh" }).authorizedGroups).toEqual({
    g: ["a"],
  });
});
