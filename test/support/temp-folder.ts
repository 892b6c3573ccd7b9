/**
 * A folder of a test's own, gone afterwards.
 */
import { afterAll, afterEach, beforeEach } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { FOLDER_FOR_TESTS } from "./memory-folder.ts";

const ofTest: string[] = [];
const ofProcess: string[] = [];
let isInTest = false;

/** A new folder (0700), removed after the test that asked for it, or outside of tests after all of them. */
export function tempFolder(): string {
  const path = mkdtempSync(join(FOLDER_FOR_TESTS, "qf-test-"));
  (isInTest ? ofTest : ofProcess).push(path);
  return path;
}

function remove(paths: string[]): void {
  for (const path of paths.splice(0)) rmSync(path, { recursive: true, force: true });
}

// What `beforeAll` starts in a folder is there for all tests of the file.
beforeEach(() => {
  isInTest = true;
});
afterEach(() => {
  isInTest = false;
  remove(ofTest);
});
afterAll(() => remove(ofProcess));
