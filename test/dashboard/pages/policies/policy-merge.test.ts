import { expect, test } from "bun:test";
import {
  draftOf,
  type FilePolicy,
  type FileRule,
  type PolicyDraft,
  policyOf,
} from "../../../../src/dashboard/pages/policies/policy-draft.ts";
import { mergePolicy } from "../../../../src/dashboard/pages/policies/policy-merge.ts";

const rule = (name: string, to: string): FileRule => ({ name, sources: ["A"], destinations: [to] });
const policy = (...rules: FileRule[]): FilePolicy => ({ name: "devs", rules });
const BASE = policy(rule("one", "X"), rule("two", "Y"));
const edited = (change: (draft: PolicyDraft) => Partial<PolicyDraft>): PolicyDraft => {
  const draft = draftOf(BASE);
  return { ...draft, ...change(draft) };
};
const withRule = (number: number, now: FileRule): PolicyDraft =>
  edited(({ rules }) => ({ rules: rules.map((one, i) => (i === number ? { ...one, rule: now } : one)) }));

test.each<[title: string, mine: PolicyDraft, theirs: FilePolicy, merged: FilePolicy]>([
  [
    "two rules, one changed on each side, are both taken",
    withRule(0, rule("one", "X2")),
    policy(rule("one", "X"), rule("two", "Y2")),
    policy(rule("one", "X2"), rule("two", "Y2")),
  ],
  [
    "a rule that was added stays",
    withRule(0, rule("one", "X2")),
    policy(rule("one", "X"), rule("two", "Y"), rule("three", "Z")),
    policy(rule("one", "X2"), rule("two", "Y"), rule("three", "Z")),
  ],
  [
    "a rule that was deleted and not edited goes",
    withRule(0, rule("one", "X2")),
    policy(rule("one", "X")),
    policy(rule("one", "X2")),
  ],
  [
    "rules that were moved are the same rules",
    withRule(1, rule("two", "Y2")),
    policy(rule("two", "Y"), rule("one", "X")),
    policy(rule("one", "X"), rule("two", "Y2")),
  ],
  [
    "the same change on both sides is one",
    withRule(0, rule("one", "X2")),
    policy(rule("one", "X2"), rule("two", "Y")),
    policy(rule("one", "X2"), rule("two", "Y")),
  ],
  [
    "a name that others gave is taken where one's own is as before",
    withRule(0, rule("one", "X2")),
    { ...BASE, name: "developers" },
    { ...policy(rule("one", "X2"), rule("two", "Y")), name: "developers" },
  ],
])("%s", (_, mine, theirs, merged) => {
  const { draft, conflicts } = mergePolicy(mine, theirs);
  expect(conflicts).toEqual([]);
  expect(policyOf(draft)).toEqual(merged);
  expect(draft.base).toEqual(theirs);
});

test("a rule that both changed is asked, with one's own kept", () => {
  const { draft, conflicts } = mergePolicy(
    withRule(0, rule("one", "X2")),
    policy(rule("one", "X3"), rule("two", "Y")),
  );
  expect(conflicts.map(({ mine, theirs }) => [mine?.destinations, theirs?.destinations])).toEqual([
    [["X2"], ["X3"]],
  ]);
  expect(policyOf(draft).rules[0]?.destinations).toEqual(["X2"]);
});

test("a rule that was edited here and deleted there is asked, and the other way round", () => {
  const gone = mergePolicy(withRule(1, rule("two", "Y2")), policy(rule("one", "X")));
  expect(gone.conflicts.map(({ theirs }) => theirs)).toEqual([null]);
  const mine = edited(({ rules }) => ({ rules: rules.slice(0, 1) }));
  const kept = mergePolicy(mine, policy(rule("one", "X"), rule("two", "Y2")));
  expect(kept.conflicts.map((one) => one.mine)).toEqual([null]);
});
