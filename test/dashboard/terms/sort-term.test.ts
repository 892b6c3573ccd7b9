import { expect, test } from "bun:test";
import { sortTermOf, sortText } from "../../../src/dashboard/terms/sort-term.ts";

test.each([
  ["name", { id: "name", desc: false }],
  ["-name", { id: "name", desc: true }],
  [undefined, null],
  ["", null],
  ["-", null],
  ["--name", null],
  ["constructor", null],
])("%p in the address sorts by %j, and is written the same way", (text, sort) => {
  expect(sortTermOf(text, ["name", "seen"])).toEqual(sort);
  if (sort !== null) expect(sortText(sort)).toBe(text);
});

test("a list that is not sorted says nothing in the address", () => {
  expect(sortText(undefined)).toBeUndefined();
});
