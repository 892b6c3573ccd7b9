import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readOrEmpty } from "../../src/base/read-or-empty.ts";
import { tempFolder } from "../support/temp-folder.ts";

test("the text of a file, or nothing for what cannot be read", () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "here"), "text");
  expect(["here", "gone", ""].map((name) => readOrEmpty(join(folder, name)))).toEqual(["text", "", ""]);
});
