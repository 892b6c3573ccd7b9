import { expect, test } from "bun:test";
import { isOverlayRange, parseRange } from "../../src/wire/overlay-range.ts";

test.each([
  ["100.64.0.0/10", true],
  ["100.64.0.0/16", true],
  ["100.127.255.0/24", true],
  ["100.100.7.9/20", true],
  ["100.64.0.0/9", false],
  ["100.64.0.0/25", false],
  ["100.63.0.0/16", false],
  ["100.128.0.0/16", false],
  ["10.0.0.0/16", false],
  ["0.0.0.0/0", false],
])("%s may be an account's range: %p", (range, may) => {
  expect(isOverlayRange(range)).toBe(may);
});

test("a range is a number and a length", () => {
  expect(parseRange("100.64.0.1/16")).toEqual({ base: 0x64400001, length: 16 });
  expect(parseRange("255.0.0.0/8")).toEqual({ base: 0xff000000, length: 8 });
});
