import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tryLockPath } from "../../src/base/lock-file.ts";
import { platformFor } from "../../src/base/platform/platform.ts";
import { tempFolder } from "../support/temp-folder.ts";

const lockIn = () => join(tempFolder(), "lock");

test.each(["linux", "win32"])("on %s one holds the lock, and the next after its release", (name) => {
  const path = lockIn();
  const on = platformFor(name);
  const release = tryLockPath(path, on);
  expect(release).not.toBeNull();
  expect(tryLockPath(path, on)).toBeNull();
  expect(tryLockPath(path, on)).toBeNull();
  release?.();
  const next = tryLockPath(path, on);
  expect(next).not.toBeNull();
  next?.();
});

const windows = platformFor("win32");

test("on Windows a lock of a process that is gone is taken at the second try", () => {
  const path = lockIn();
  const gone = Bun.spawnSync(["true"]);
  writeFileSync(path, `${gone.pid} x`);
  expect(tryLockPath(path, windows)).toBeNull();
  expect(tryLockPath(path, windows)).not.toBeNull();
});

test.each(["", "x", "0 x", "-1 x", "99999999999 x"])("on Windows a lock that says %p", (text) => {
  const path = lockIn();
  writeFileSync(path, text);
  expect(tryLockPath(path, windows)).toBeNull();
  // Empty: its holder has made it and not yet written.
  expect(existsSync(path)).toBe(text === "");
});

test("on Windows an empty lock is taken once it is old, and leaves no file behind", () => {
  const path = lockIn();
  writeFileSync(path, "");
  utimesSync(path, new Date(0), new Date(0));
  expect(tryLockPath(path, windows)).toBeNull();
  tryLockPath(path, windows)?.();
  expect(readdirSync(dirname(path))).toEqual([]);
});

test("on Windows a release leaves the lock of another alone", () => {
  const path = lockIn();
  const release = tryLockPath(path, windows);
  writeFileSync(path, "1 other");
  release?.();
  expect(readFileSync(path, "utf8")).toBe("1 other");
});
