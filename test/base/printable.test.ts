import { expect, test } from "bun:test";
import { printable, printableLines } from "../../src/base/printable.ts";

test.each([
  ["plain text", "plain text"],
  ["  edges  ", "edges"],
  ["Grüße, 世界 🙂", "Grüße, 世界 🙂"],
  ["red\u001b[31mtext", "red [31mtext"],
  ["over\rwritten", "over written"],
  ["two\r\nlines", "two lines"],
  ["tab\tand\u0000nul", "tab and nul"],
  ["del\u007f\u009bcsi", "del csi"],
  ["\u202egnp.exe", "gnp.exe"],
  ["iso\u2066late\u2069d", "iso late d"],
  ["para\u2029graph\u2028s", "para graph s"],
  ["\u001b]0;title\u0007", "]0;title"],
  ["", ""],
])("printable of %j is %j", (text, wanted) => {
  expect(printable(text)).toBe(wanted);
});

test("printableLines keeps line feeds and nothing else that drives a terminal", () => {
  expect(printableLines("first\u001b[2J\n\n  second\r\nthird")).toBe("first [2J\n\nsecond\nthird");
});
