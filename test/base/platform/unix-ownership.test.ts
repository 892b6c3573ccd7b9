import { expect, test } from "bun:test";
import { chmodSync, statSync } from "node:fs";
import { unixOwnership } from "../../../src/base/platform/unix-ownership.ts";
import { tempFolder } from "../../support/temp-folder.ts";

test.each([
  [0o700, null],
  [0o500, null],
  [0o710, "open"],
  [0o702, "open"],
  [0o777, "open"],
])("a folder of ours with mode %o: %p", (mode, want) => {
  const path = tempFolder();
  chmodSync(path, mode);
  expect(unixOwnership.intruder(path)).toBe(want as never);
  chmodSync(path, 0o700);
});

test("a folder of somebody else is theirs, however closed", () => {
  const path = tempFolder();
  const found = statSync(path);
  found.uid += 1;
  expect(unixOwnership.intruder(path, found)).toBe("owner");
});
