/**
 * A lock by path that ends with its holder: flock(2), or on Windows, which lacks it, a file with the pid of
 * its holder.
 *
 * @module
 */
import { closeSync, linkSync, openSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { systemClock } from "./clock.ts";
import { tryLock } from "./file-lock.ts";
import { newId } from "./new-id.ts";
import { platform } from "./platform/platform.ts";
import { readOrEmpty } from "./read-or-empty.ts";

/** Longest time between making a lock and writing the pid into it. */
const WRITING_MS_MAX = 10_000;

/** Takes the lock at `path` without waiting. Returns its release. Null while another process holds it. */
export function tryLockPath(path: string, on = platform): (() => void) | null {
  if (on.name === "windows") return tryPidFile(path);
  const fd = openSync(path, "a", 0o600);
  if (tryLock(fd)) return () => closeSync(fd);
  closeSync(fd);
  return null;
}

function tryPidFile(path: string): (() => void) | null {
  const text = `${process.pid} ${newId()}`;
  try {
    writeFileSync(path, text, { flag: "wx", mode: 0o600 });
  } catch {
    removeStale(path);
    return null;
  }
  return () => {
    if (readOrEmpty(path) === text) rmSync(path, { force: true });
  };
}

/**
 * Removes the lock of a process that is gone. It is moved away first, so that of two processes that see it
 * only one removes it, and put back if another process has taken the lock in the meantime.
 */
function removeStale(path: string): void {
  const found = readOrEmpty(path);
  if (!isStale(path, found)) return;
  const aside = `${path}_${newId()}`;
  try {
    renameSync(path, aside);
    if (readOrEmpty(aside) !== found) linkSync(aside, path);
  } catch {
    // The other process was first.
  }
  rmSync(aside, { force: true });
}

/** An empty lock is stale when it is old: its holder was ended before it could write. */
function isStale(path: string, found: string): boolean {
  if (found !== "") return !isRunning(Number(found.split(" ")[0]));
  const madeMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return madeMs !== undefined && Math.abs(systemClock.nowMs() - madeMs) > WRITING_MS_MAX;
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
