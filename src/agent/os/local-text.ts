/**
 * Small files of this system, read on the spot: for what is asked at every decision.
 *
 * @module
 */
import { readFileSync, statSync } from "node:fs";
import { systemClock } from "../../base/clock.ts";

/**
 * The text of a small file of this system, under /proc, /sys or /etc. Empty where the file is not there or
 * not ours to read. Synchronous: handing such a read to another thread takes several times as long.
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

/** The kernel's clock for files may stand still for this long, so that a second change leaves no trace. */
const SETTLED_MS = 1_000;
/** Databases of accounts are a handful. */
const KEPT_MAX = 16;
const kept = new Map<string, Settled>();

/**
 * As `readLocalText`, for a file of a file system that says when one was changed, which /proc and /sys do
 * not: what has not changed since it was last read is not read again.
 */
export function readUnchangedText(path: string, nowMs = systemClock.nowMs()): string {
  const before = identityOf(path);
  const known = kept.get(path);
  if (before !== null && known?.identity === before.identity) return known.text;
  const text = readLocalText(path);
  kept.delete(path);
  const isSettled = before !== null && nowMs - before.changedMs > SETTLED_MS;
  // It may have been replaced between the two.
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
