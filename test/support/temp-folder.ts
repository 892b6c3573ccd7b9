/**
 * A folder of a test's own, gone afterwards.
 */
import { afterEach } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const made: string[] = [];

/** A new folder (0700), removed after the test that asked for it. */
export function tempFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "qf-test-"));
  made.push(path);
  return path;
}

afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});
