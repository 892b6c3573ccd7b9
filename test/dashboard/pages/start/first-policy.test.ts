import { expect, test } from "bun:test";
import {
  type FirstPolicy,
  isComplete,
  policyFor,
} from "../../../../src/dashboard/pages/start/first-policy.ts";

const ME: FirstPolicy = { choice: "me", team: "Ops ", localUsers: [] };

test.each<[policy: FirstPolicy, people: object]>([
  [ME, { Administrators: ["*"] }],
  [{ ...ME, localUsers: ["deploy"] }, { Administrators: ["deploy"] }],
  [{ ...ME, choice: "team", localUsers: ["deploy"] }, { Ops: ["deploy"] }],
  [{ ...ME, choice: "everybody", localUsers: ["deploy"] }, { All: ["deploy"] }],
])("%j is a rule over every machine", (policy, people) => {
  expect(isComplete(policy)).toBe(true);
  expect(policyFor(policy).rules).toEqual([
    { sources: ["All"], destinations: ["All"], authorized_groups: people as Record<string, string[]> },
  ]);
});

test.each<[policy: FirstPolicy]>([[{ ...ME, choice: "everybody" }], [{ ...ME, choice: "team", team: " " }]])(
  "%j is not enough to go on",
  (policy) => expect(isComplete(policy)).toBe(false),
);
