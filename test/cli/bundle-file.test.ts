import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileLines } from "../../src/cli/bundle-file.ts";
import { tempFolder } from "../support/temp-folder.ts";

const linesOf = (text: string | Buffer, lineBytesMax = 1_000_000) => {
  const path = join(tempFolder(), "bundle");
  writeFileSync(path, text);
  return Array.fromAsync(fileLines(path, lineBytesMax));
};

test.each([
  ["nothing", "", []],
  ["one line", "a\n", ["a"]],
  ["a line without its end", "a\nb", ["a", "b"]],
  ["empty lines", "\n\n", ["", ""]],
])("a file of %s is read", async (_, text, lines) => {
  expect(await linesOf(text)).toEqual(lines);
});

test("lines that are longer than a chunk, or end with one, come whole", async () => {
  const lines = [1, 262_143, 262_144, 262_145, 700_000, 3].map((length) =>
    "é".repeat(length).slice(0, length),
  );
  expect(await linesOf(lines.map((line) => `${line}\n`).join(""), 2_000_000)).toEqual(lines);
});

test("a line that is too long ends the reading, however long the file is", async () => {
  await expect(linesOf("x".repeat(2_000_000))).rejects.toMatchObject({ code: "ERR_TOO_LARGE" });
});

test("a file that is not there is said to be so", async () => {
  const reading = Array.fromAsync(fileLines(join(tempFolder(), "none"), 1));
  await expect(reading).rejects.toMatchObject({ code: "ERR_NOT_FOUND" });
});
