import { expect, test } from "bun:test";
import { membersChange } from "../../../src/dashboard/components/members-change.ts";

const name = (id: string): string => id.toUpperCase();

test.each<[before: string[], now: string[], lines: string[]]>([
  [["a", "b"], ["b", "a"], []],
  [["a"], ["a", "b"], ["Joins: B."]],
  [["a", "b"], ["c"], ["Joins: C.", "Leaves: A, B."]],
])("from %j to %j", (before, now, lines) => expect(membersChange(before, now, name)).toEqual(lines));

test("of many a few are named and the rest counted", () => {
  const many = Array.from({ length: 1_010 }, (_, i) => `m${i}`);
  expect(membersChange([], many, name)).toEqual(["Joins: M0, M1, M2, M3, M4, M5, M6, M7 and 1,002 more."]);
});
