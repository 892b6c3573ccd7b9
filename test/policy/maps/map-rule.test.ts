import { expect, test } from "bun:test";
import { mapRuleOf } from "../../../src/policy/maps/map-rule.ts";
import type { PolicyRuleWrite } from "../../../src/wire/policy.ts";

const policy = { id: "p", enabled: true, sourcePostureChecks: ["c"] };
const OPEN = { allowBrowsers: true };
const asWritten: PolicyRuleWrite & { id: string } = {
  id: "r",
  ...{ name: "n", enabled: true, action: "accept", bidirectional: false, protocol: "tcp" },
  ...{ sources: ["g"], destinations: ["h"], ports: ["80"], authorized_groups: { g: ["a"] } },
};

test("a rule holds while it and its policy are enabled", () => {
  const enabledOf = (inPolicy: boolean, itself: boolean): boolean =>
    mapRuleOf({ ...policy, enabled: inPolicy }, { ...asWritten, enabled: itself }, OPEN).enabled;
  expect([enabledOf(true, true), enabledOf(false, true), enabledOf(true, false)]).toEqual([
    true,
    false,
    false,
  ]);
});

test("ports are ranges, checks are the policy's, and only SSH rules have OS users of groups", () => {
  const rule = mapRuleOf(policy, asWritten, OPEN);
  expect(rule).toMatchObject({
    id: "r",
    policyId: "p",
    ports: [{ start: 80, end: 80 }],
    postureChecks: ["c"],
  });
  expect(rule.authorizedGroups).toEqual({});
  expect(mapRuleOf(policy, { ...asWritten, protocol: "netbird-ssh" }, OPEN).authorizedGroups).toEqual({
    g: ["a"],
  });
});

test.each([
  ["SSH that does not say", {}, false],
  ["SSH that says yes", { ssh: { allow_browsers: true } }, true],
  ["SSH that says something else", { ssh: { pty: false } }, false],
  ["a drop", { action: "drop" }, undefined],
  ["another protocol", { protocol: "tcp" }, undefined],
] as const)("where the account refuses browsers, a rule of %s", (_, change, expected) => {
  const body = { ...asWritten, protocol: "qufabric-ssh" as const, ...change };
  const { capabilities } = mapRuleOf(policy, body, { allowBrowsers: false });
  expect<boolean | undefined>(capabilities.allow_browsers).toBe(expected);
  expect(capabilities).toMatchObject("ssh" in change ? change.ssh : {});
  expect(mapRuleOf(policy, body, OPEN).capabilities).toEqual("ssh" in change ? change.ssh : {});
});
