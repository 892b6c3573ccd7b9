/**
 * Key files that no ssh(1) reads any more, on a system that cannot see who reads one (`staying-key.ts`).
 *
 * @module
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { dropKey, keyFileNames } from "./key-readers.ts";

/** How long a file stays: dialling takes up to 10 s, and ssh signs a moment after that. */
export const STAYING_MS = 30_000;

/** Removes a file that no ssh can be using any more. For an ssh that is about to look. */
export function dropStale(folder: string, host: string, clock: Clock): void {
  if (!isInUse(join(folder, keyFileNames(host).key), clock)) dropKey(folder, host);
}

/** Whether ssh may still read the file at `path`, by its age. */
export function isInUse(path: string, clock: Clock): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && Math.abs(clock.nowMs() - found.mtimeMs) < STAYING_MS;
}
