import { expect, test } from "bun:test";
import { reachWords } from "../../../../src/dashboard/pages/policies/reach-words.ts";

test.each([
  [1, 1, "1 person × 1 machine"],
  [0, 10_000, "0 people × 10,000 machines"],
  [null, 2, "0 people × 2 machines"],
])("a rule of %p people and %p machines says so", (people, machines, words) => {
  expect(reachWords({ people, machines })).toBe(words);
});
