import { expect, test } from "bun:test";
import { controlKey, cursorKey } from "../../../src/dashboard/terminal/cursor-keys.ts";

test.each([
  ["\u001b[A", "\u001bOA"],
  ["\u001b[D", "\u001bOD"],
  ["\u001b", "\u001b"],
  ["\u001b[H", "\u001b[H"],
  ["x\u001b[A", "x\u001b[A"],
])("cursorKey of %j is %j for a program in application mode, and unchanged for others", (text, sent) => {
  expect([cursorKey(text, true), cursorKey(text, false)]).toEqual([sent, text]);
});

test.each([
  ["c", "\u0003"],
  ["C", "\u0003"],
  ["[", "\u001b"],
  [" ", "\u0000"],
  ["_", "\u001f"],
  ["1", null],
  ["ü", null],
  ["ab", null],
  ["", null],
])("controlKey of %j is %j", (key, sent) => {
  expect(controlKey(key)).toBe(sent);
});
