import { expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../src/base/errors.ts";
import { appendDurably, readJsonState, readSmallFile } from "../../src/base/files.ts";
import { tempFolder } from "../support/temp-folder.ts";

test("a small file is read whole, up to the last byte that may be", async () => {
  const path = join(tempFolder(), "token");
  writeFileSync(path, "x".repeat(64));
  expect(await readSmallFile(path, 64)).toBe("x".repeat(64));
});

test("a file that is larger, or that never ends, is refused", async () => {
  const path = join(tempFolder(), "token");
  writeFileSync(path, "x".repeat(65));
  for (const named of [path, "/dev/zero"]) {
    const error = await readSmallFile(named, 64).catch((cause: unknown) => cause);
    expect(isQfError(error, "ERR_TOO_LARGE")).toBe(true);
  }
});

test("what cannot be read or written is named", async () => {
  const folder = tempFolder();
  const anything = { safeParse: (data: unknown) => ({ success: true as const, data }) };
  const unreadable = await readJsonState(folder, anything).catch((cause: unknown) => cause);
  expect(unreadable).toMatchObject({ code: "EISDIR", path: folder });
});

test("what is appended is behind what was there, in a file of that mode", async () => {
  const path = join(tempFolder(), "lines");
  for (const line of ["one\n", "two\n"]) await appendDurably(path, Buffer.from(line), 0o600);
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("an append that the system refuses rejects, whether the file is missing or the disk full", async () => {
  const line = Buffer.from("one\n");
  await expect(appendDurably(join(tempFolder(), "none", "lines"), line, 0o600)).rejects.toMatchObject({
    code: "ENOENT",
  });
  await expect(appendDurably("/dev/full", line, 0o600)).rejects.toMatchObject({ code: "ENOSPC" });
});
