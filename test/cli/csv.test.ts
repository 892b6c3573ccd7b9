import { expect, test } from "bun:test";
import { renderCsv } from "../../src/cli/csv.ts";

test.each([
  ["plain", "plain"],
  ["a,b", '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ["=1+1", `"'=1+1"`],
  ["+1", `"'+1"`],
  ["-1", `"'-1"`],
  ["@x", `"'@x"`],
])("%j is written %j", (cell, written) => {
  expect(renderCsv(["h"], [[cell]])).toBe(`h\r\n${written}\r\n`);
});
