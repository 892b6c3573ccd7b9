/**
 * Synchronous reads of small system files that every decision needs.
 *
 * @module
 */
import { readFileSync, statSync } from "node:fs";
import { systemClock } from "../../base/clock.ts";

/**
 * Text of a small system file under /proc, /sys or /etc. Empty if it is missing or not readable. Synchronous,
 * because a read on another thread takes several times as long.
 */
export function readLocalText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

interface Settled {
  /** Device, inode, size and times of the file. */
  readonly identity: string;
  readonly text: string;
}

/** The kernel's file clock may stand still this long, so a second change might leave no trace. */
const SETTLED_MS = 1_000;
/** Most files cached. There are only a handful of account databases. */
const KEPT_MAX = 16;
const kept = new Map<string, Settled>();

/**
 * Like `readLocalText`, but does not read a file again that has not changed. The file system must record
 * changes, which /proc and /sys do not.
 */
export function readUnchangedText(path: string, nowMs = systemClock.nowMs()): string {
  const before = identityOf(path);
  const known = kept.get(path);
  if (before !== null && known?.identity === before.identity) return known.text;
  const text = readLocalText(path);
  kept.delete(path);
  const isSettled = before !== null && nowMs - before.changedMs > SETTLED_MS;
  // The file may have been replaced between the two.
  if (isSettled && kept.size < KEPT_MAX && identityOf(path)?.identity === before.identity) {
    kept.set(path, { identity: before.identity, text });
  }
  return text;
}

function identityOf(path: string): { identity: string; changedMs: number } | null {
  try {
    // Times are exact to the microsecond.
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path);
    return { identity: `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`, changedMs: ctimeMs };
  } catch {
    return null;
  }
}
