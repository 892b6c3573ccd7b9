import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const FOLDER = resolve(import.meta.dir, "../../../src/dashboard");
/** Controls that each browser draws in its own way, and colours that are not of the design. */
const FOREIGN: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a select of the browser", /<select\b|<option\b|<datalist\b/],
  ["a check box or radio of the browser", /type="(?:checkbox|radio)"/],
  ["a date or number of the browser", /type="(?:date|datetime-local|time|month|week|number|range|color)"/],
  ["a colour of its own", /(?:bg|text|border)-\[#/],
];

const sources = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".tsx"))
  .map((path) => ({ path, text: readFileSync(join(FOLDER, path), "utf8") }));

test.each(FOREIGN)("no page has %s", (_, pattern) => {
  expect(sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path)).toEqual([]);
  expect(sources.length).toBeGreaterThan(100);
});
