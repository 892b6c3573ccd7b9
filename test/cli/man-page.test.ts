import { expect, test } from "bun:test";
import { manPage } from "../../src/cli/man-page.ts";

test("the page holds the help of every command, and no line of it is a request by accident", async () => {
  const page = await manPage("1.2.3", [{ words: "ssh", help: "usage: qf ssh\n.hidden\n'quoted\na\\b\n" }]);
  expect(page).toContain(".SS qf agent up\n");
  expect(page).toContain(".SS qf version\n");
  expect(page).toContain("\n\\&.hidden\n\\&'quoted\na\\eb\n");
  const requests = new Set(page.split("\n").flatMap((line) => /^[.'](\w*)/.exec(line)?.[1] ?? []));
  expect([...requests].sort()).toEqual(["B", "I", "SH", "SS", "TH", "fi", "nf"]);
});
