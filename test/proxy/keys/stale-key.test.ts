import { expect, test } from "bun:test";
import { existsSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { dropStale, isInUse, STAYING_MS } from "../../../src/proxy/keys/stale-key.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const HOST = "web1.qf.internal";

test.each([
  [0, true],
  [STAYING_MS / 2, true],
  [STAYING_MS, false],
  [STAYING_MS * 100, false],
])("a key file that is %i ms old may be read: %p", (ageMs, want) => {
  const folder = tempFolder();
  const path = join(folder, HOST);
  writeFileSync(path, "key");
  const seconds = (systemClock.nowMs() - ageMs) / 1000;
  utimesSync(path, seconds, seconds);
  expect(isInUse(path, systemClock)).toBe(want);
  dropStale(folder, HOST, systemClock);
  expect(existsSync(path)).toBe(want);
});

test("a file that is not there is not in use, and dropping it fails nothing", () => {
  const folder = tempFolder();
  expect(isInUse(join(folder, HOST), systemClock)).toBe(false);
  dropStale(folder, HOST, systemClock);
});
