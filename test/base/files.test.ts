import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../src/base/errors.ts";
import { readJsonState, readSmallFile } from "../../src/base/files.ts";
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
