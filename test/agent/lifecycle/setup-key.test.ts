import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSetupKey } from "../../../src/agent/lifecycle/setup-key.ts";
import { isQfError } from "../../../src/base/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "key");
writeFileSync(file, "qfs_from_file\n");
const other = join(folder, "other");
writeFileSync(other, "qfs_other");

test.each<
  [name: string, key: string | undefined, file: string | undefined, env: object, want: string | undefined]
>([
  ["nothing", undefined, undefined, {}, undefined],
  ["a flag", "qfs_flag", undefined, { QF_SETUP_KEY: "qfs_env" }, "qfs_flag"],
  ["a file", undefined, file, { QF_SETUP_KEY: "qfs_env" }, "qfs_from_file"],
  ["a variable", undefined, undefined, { QF_SETUP_KEY: "qfs_env", QF_SETUP_KEY_FILE: file }, "qfs_env"],
  ["a variable that names a file", undefined, undefined, { QF_SETUP_KEY_FILE: other }, "qfs_other"],
  ["empty variables", undefined, undefined, { QF_SETUP_KEY: "", QF_SETUP_KEY_FILE: "" }, undefined],
])("readSetupKey takes %s", async (_name, key, path, env, want) => {
  expect(await readSetupKey({ key, file: path }, { ...env }, () => {})).toBe(want);
});

test.each<[name: string, key: string | undefined, path: string, want: string]>([
  ["both flags", "qfs_flag", file, "ERR_USAGE"],
  ["a file that is not there", undefined, join(folder, "none"), "ERR_PERMISSION"],
  ["an empty file", undefined, "/dev/null", "ERR_USAGE"],
  ["a file without end", undefined, "/dev/zero", "ERR_PERMISSION"],
  ["a folder", undefined, "/", "ERR_PERMISSION"],
])("readSetupKey refuses %s", async (_name, key, path, want) => {
  const work = readSetupKey({ key, file: path }, {}, () => {});
  expect(await work.catch((error: unknown) => isQfError(error) && error.code)).toBe(want);
});

test("readSetupKey warns where the key stays on the command line", async () => {
  const warned: string[] = [];
  // It is not on ours, so there is nothing to see; an empty one cannot be looked for.
  await readSetupKey({ key: "qfs_not_there", file: undefined }, {}, (text) => warned.push(text));
  expect(warned).toEqual([]);
  await readSetupKey({ key: "", file: undefined }, {}, (text) => warned.push(text));
  expect(warned[0]).toContain("--setup-key-file");
});
