/**
 * A lock by path that ends with its holder: flock(2), or on Windows, which lacks it, a file with the pid of
 * its holder.
 *
 * @module
 */
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tryLock } from "./file-lock.ts";
import { newId } from "./new-id.ts";
import { platform } from "./platform/platform.ts";

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

/** Moved away before it is removed, so that of two processes that see it only one removes it. */
function removeStale(path: string): void {
  const found = readOrEmpty(path);
  const pid = Number(found.split(" ")[0]);
  if (found === "" || isRunning(pid)) return;
  const aside = `${path}_${newId()}`;
  try {
    renameSync(path, aside);
    rmSync(aside, { force: true });
  } catch {
    // The other process was first.
  }
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

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
