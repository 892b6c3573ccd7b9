import { expect, test } from "bun:test";
import type { PolicyWithRules } from "../../../../src/management/db/tables/policies.ts";
import { ruleNames } from "../../../../src/management/http/admin/rule-names.ts";

const aPolicy = (id: string, name: string, rules: readonly (readonly [string, string])[]) =>
  ({
    policy: { id, name },
    rules: rules.map(([ruleId, ruleName]) => ({ id: ruleId, body: { name: ruleName } })),
  }) as unknown as PolicyWithRules;

test("the id follows a policy's or a rule's name where another has the same", () => {
  const policies = [
    aPolicy("p1", "deploy", [["r1", "deploy"]]),
    aPolicy("p2", "deploy", [["r2", "deploy"]]),
    aPolicy("p3", "web", [
      ["r3", "deploy"],
      ["r4", "ssh"],
      ["r5", "ssh"],
    ]),
  ];
  expect([...ruleNames(policies).values()]).toEqual([
    'rule "deploy" of policy "deploy" (p1)',
    'rule "deploy" of policy "deploy" (p2)',
    'rule "deploy" of policy "web"',
    'rule "ssh" (r4) of policy "web"',
    'rule "ssh" (r5) of policy "web"',
  ]);
});
