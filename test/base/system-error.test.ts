import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { QfError } from "../../src/base/errors.ts";
import { systemFailure } from "../../src/base/system-error.ts";
import { tempFolder } from "../support/temp-folder.ts";

test.each<[string, (folder: string) => unknown, string]>([
  ["a file that is not there", (folder) => readFileSync(join(folder, "none")), "no such file or folder"],
  ["a folder for a file", (folder) => readFileSync(folder), "a folder, not a file"],
  ["a file for a folder", (folder) => readdirSync(join(folder, "file")), "not a folder"],
  ["a name that exists", (folder) => mkdirSync(folder), "something else is there already"],
  ["a long name", (folder) => readFileSync(join(folder, "x".repeat(300))), "the name is too long"],
])("%s is told with its path and the call", (_what, call, reason) => {
  const folder = tempFolder();
  writeFileSync(join(folder, "file"), "");
  let caught: unknown;
  try {
    call(folder);
  } catch (error) {
    caught = error;
  }
  const { path, syscall } = caught as NodeJS.ErrnoException;
  expect(systemFailure(caught)?.message).toBe(`${path ?? "a file"}: ${reason} (${syscall})`);
});

const errnoError = (code: string, fields: object = {}): Error =>
  Object.assign(new Error("x"), { code, ...fields });

test("a full disk has a hint, and says so without a path as well", () => {
  expect(systemFailure(errnoError("ENOSPC"))).toEqual({
    message: "a file: the disk is full",
    hint: "make room, then try again",
  });
});

test.each([
  ["an error without a code", new Error("x")],
  ["an error of ours", new QfError("ERR_SSH", "x")],
  ["a code without words here", errnoError("EXDEV")],
  ["a code that every object has", errnoError("constructor")],
  ["what is no error", { code: "ENOSPC" }],
  ["nothing", undefined],
])("%s is none of the system's", (_what, error) => {
  expect(systemFailure(error)).toBeUndefined();
});
