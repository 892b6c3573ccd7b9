import { expect, test } from "bun:test";
import { csvOf } from "../../../src/dashboard/components/csv.ts";

const COLUMNS = [
  ["name", ({ name }: { name: string }) => name],
  ["count", () => 3],
  ["none", () => null],
] as const;

test("rows stand under their headings, each line ended by CR LF", () => {
  expect(csvOf(COLUMNS, [{ name: "a" }, { name: "b" }])).toBe("name,count,none\r\na,3,\r\nb,3,\r\n");
});

test.each([
  ["a formula", '=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
  ["another beginning of one", "@cmd", `"'@cmd"`],
  ["a formula behind a control character", "\t+1", `"'+1"`],
  ["a line break and a comma", "a,\nb", '"a, b"'],
  ["a direction mark", "a\u202eb", "a b"],
  ["an emoji", "🏗️", "🏗️"],
])("%s in a name becomes text", (_, name, cell) => {
  expect(csvOf(COLUMNS, [{ name }])).toContain(`\r\n${cell},3,`);
});
