import { expect, test } from "bun:test";
import { daysOf, daysProblem } from "../../../../src/dashboard/pages/tokens/token-days.ts";

test.each<[lasts: string, typed: string, days: number | null]>([
  ["30", "", 30],
  ["365", "7", 365],
  ["other", " 45 ", 45],
  ["other", "", null],
  ["other", "0", null],
  ["other", "366", null],
  ["other", "1.5", null],
  ["other", "-3", null],
])("%s with %p typed is %p days", (lasts, typed, days) => expect(daysOf(lasts, typed)).toBe(days));

test("what is not typed yet is no problem; what is no number of days is one", () => {
  expect(daysProblem("")).toBe(null);
  expect(daysProblem("45")).toBe(null);
  expect(daysProblem("many")).toContain("from 1 to 365");
});
