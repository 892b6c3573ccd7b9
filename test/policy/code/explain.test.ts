import { expect, test } from "bun:test";
import { explainTrace } from "../../../src/policy/code/explain.ts";
import { namesOf } from "../../../src/policy/code/names.ts";
import { RULE_OUTCOMES } from "../../../src/wire/rule-outcome.ts";
import { WHOLE_FILE, withFile } from "../../support/policy-account.ts";

const account = withFile(WHOLE_FILE);
const ruleId = account.policies[0]?.rules[0]?.id ?? "";
const asked = { user: "ada", device: "laptop", machine: "web1", localUser: "deploy" };
const explain = (outcome: (typeof RULE_OUTCOMES)[number], id = ruleId) =>
  explainTrace([{ ruleId: id, outcome }], account.policies, namesOf(account), asked, RULE_OUTCOMES)[0];

test.each([...RULE_OUTCOMES])("%s has a sentence of one line", (outcome) => {
  const { sentence, change } = explain(outcome) ?? {};
  expect(sentence).toMatch(/^\S.*[^.]$/);
  expect(change === null || typeof change === "string").toBe(true);
});

test("names of groups, people and machines are told", () => {
  expect(explain("user_not_in_groups")?.sentence).toContain("developers");
  expect(explain("device_not_in_sources")?.change).toContain("laptop");
  expect(explain("not_destination")?.change).toBe("put web1 into web");
  expect(explain("local_user_not_listed")?.change).toContain("developers");
});

test("a rule that is gone is told by its id, and the nearest rule comes first", () => {
  expect(explain("user_not_in_groups", "gone")).toMatchObject({ ruleId: "gone", policy: "", rule: "" });
  const trace = [
    { ruleId: "a", outcome: "disabled" as const },
    { ruleId: "b", outcome: "granted" as const },
  ];
  const rules = explainTrace(trace, account.policies, namesOf(account), asked, RULE_OUTCOMES);
  expect(rules.map((rule) => rule.ruleId)).toEqual(["b", "a"]);
});
