import { afterEach, expect, spyOn, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { requirePrivate } from "../../src/base/private-file.ts";
import { codeThrownBy } from "../support/failure.ts";
import { tempFolder } from "../support/temp-folder.ts";

const getuid = spyOn(process, "getuid");
afterEach(() => getuid.mockRestore());

function aFile(mode: number): string {
  const path = join(tempFolder(), "secret");
  writeFileSync(path, "x");
  chmodSync(path, mode);
  return path;
}

test("what only its owner may touch, and what is not there, is private", () => {
  expect(() => requirePrivate(aFile(0o600), "the file")).not.toThrow();
  expect(() => requirePrivate(aFile(0o400), "the file")).not.toThrow();
  expect(() => requirePrivate(join(tempFolder(), "none"), "the file")).not.toThrow();
});

test.each([0o640, 0o644, 0o604, 0o620, 0o666, 0o601])("a file of mode %o is not private", (mode) => {
  expect(codeThrownBy(() => requirePrivate(aFile(mode), "the file"))).toBe("ERR_PERMISSION");
});

test("a folder is told apart by its hint, another user's file by its owner", () => {
  const folder = join(tempFolder(), "folder");
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  const hintOf = (path: string): unknown => {
    try {
      requirePrivate(path, "the thing");
    } catch (error) {
      return (error as { hint: unknown }).hint;
    }
    return undefined;
  };
  expect(hintOf(folder)).toStartWith(`run chmod 700 ${folder};`);
  getuid.mockReturnValue(4_242);
  const path = aFile(0o600);
  const isRoots = process.geteuid?.() === 0;
  // Root's file is as good as one's own.
  expect(hintOf(path)).toBe(isRoots ? undefined : "give it to the user who runs management");
});
