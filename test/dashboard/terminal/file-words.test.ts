import { expect, test } from "bun:test";
import {
  baseName,
  bytesText,
  isFileName,
  joinPath,
  parentOf,
  sortedFiles,
} from "../../../src/dashboard/terminal/file-words.ts";

test("sizes are short", () => {
  expect([0, 999, 1_000, 123_456, 20_000_000, 5e15].map(bytesText)).toEqual([
    ...["0 B", "999 B", "1.0 kB", "123 kB", "20.0 MB", "5000 TB"],
  ]);
});

test("paths are joined and left", () => {
  expect([joinPath("/", "a"), joinPath("/a", "b")]).toEqual(["/a", "/a/b"]);
  expect(["/a/b", "/a/b/", "/a", "/"].map(parentOf)).toEqual(["/a", "/a", "/", "/"]);
});

test.each([
  ["../../etc/passwd", "passwd"],
  ["C:\\Users\\ada\\notes.txt", "notes.txt"],
  ["..", "file"],
  ["folder/", "file"],
  ["plain", "plain"],
])("a name keeps its last part only: %s", (name, base) => {
  expect(baseName(name)).toBe(base);
});

test("folders come first", () => {
  const file = (name: string, kind: "file" | "folder") => ({
    ...{ name, kind, size: 1, mode: 0, modifiedSeconds: 0 },
  });
  const files = [file("b", "file"), file("z", "folder"), file("a", "file")];
  expect(sortedFiles(files).map(({ name }) => name)).toEqual(["z", "a", "b"]);
});

test.each([
  ["notes.txt", true],
  ["...", true],
  [" ", true],
  ["", false],
  [".", false],
  ["..", false],
  ["a/b", false],
  ["a\u0000b", false],
])("a new name stays in its folder: %j", (name, isOne) => {
  expect(isFileName(name)).toBe(isOne);
});
