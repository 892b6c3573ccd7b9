import { expect, test } from "bun:test";
import { cleanPaste, wantsAsking } from "../../../src/dashboard/terminal/paste.ts";

test.each([
  ["a\u001b[201~rm -rf /", "a[201~rm -rf /"],
  ["a\u0003\u0004b\u007f", "ab"],
  ["tab\tand\r\nlines\rof all\nkinds", "tab\tand\nlines\nof all\nkinds"],
  ["c1 \u009b31m", "c1 31m"],
  ["grün 日本 🙂", "grün 日本 🙂"],
])("pasted text loses what a terminal would act on: %j", (text, clean) => {
  expect(cleanPaste(text)).toBe(clean);
});

test("several lines are asked about where each would run at once", () => {
  expect([wantsAsking("a\nb", false), wantsAsking("a\n", false)]).toEqual([true, true]);
  expect([wantsAsking("a\nb", true), wantsAsking("a", false)]).toEqual([false, false]);
});
