/** The master key's file: made once, for good, and read only where nobody else could. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, chownSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../../src/base/errors.ts";
import { createMasterKey, openMasterKey } from "../../../src/management/ca/master-key.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { type WatchedFiles, watchFiles } from "../../support/watched-files.ts";

let path: string;
let files: WatchedFiles;
beforeEach(async () => {
  path = join(tempFolder(), "master.key");
  files = await watchFiles();
});
afterEach(() => files[Symbol.dispose]());

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "taken",
    (error: unknown) => (isQfError(error) ? error.code : String(error)),
  );

test("is on the disk before anything is encrypted under it", async () => {
  await createMasterKey(path);
  expect(files.calls).toEqual(["chmod master.key", "writeFile master.key", "sync master.key"]);
  expect(statSync(path)).toMatchObject({ mode: 0o100600, size: 32 });
});

test("is never made over another", async () => {
  const made = await createMasterKey(path);
  expect(await codeOf(createMasterKey(path))).toBe("ERR_ALREADY_INITIALISED");
  expect(new Uint8Array(readFileSync(path))).toEqual(new Uint8Array(made));
});

test.each([
  [0o600, "taken"],
  [0o400, "taken"],
  [0o640, "ERR_PERMISSION"],
  [0o620, "ERR_PERMISSION"],
  [0o604, "ERR_PERMISSION"],
  [0o601, "ERR_PERMISSION"],
  [0o777, "ERR_PERMISSION"],
])("of mode %o is %s", async (mode, want) => {
  await createMasterKey(path);
  chmodSync(path, mode);
  expect(await codeOf(openMasterKey(path))).toBe(want);
});

test.skipIf(process.getuid?.() !== 0)("of another user is refused", async () => {
  await createMasterKey(path);
  chownSync(path, 4711, 4711);
  expect(await codeOf(openMasterKey(path))).toBe("ERR_PERMISSION");
});

test.each([0, 31, 33, 64])("of %i bytes is refused", async (size) => {
  writeFileSync(path, new Uint8Array(size), { mode: 0o600 });
  expect(await codeOf(openMasterKey(path))).toBe("ERR_STATE_DAMAGED");
});

test("behind a link is refused, and so is what is no file", async () => {
  await createMasterKey(path);
  symlinkSync(path, `${path}.link`);
  expect(await codeOf(openMasterKey(`${path}.link`))).toBe("ERR_PERMISSION");
  expect(await codeOf(openMasterKey("/dev/zero"))).toBe("ERR_USAGE");
  expect(await codeOf(openMasterKey(`${path}.none`))).toBe("ERR_NOT_INITIALISED");
});
