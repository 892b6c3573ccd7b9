/**
 * Records of the ssh(1) processes that use the key file of a host, kept beside it.
 *
 * A separate file with few imports: ssh(1) waits for `qf proxy match` and `qf proxy known-hosts` at every
 * connection, and they need nothing else of `key-files.ts`.
 *
 * @module
 */

import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { newId } from "../../base/new-id.ts";
import { readOrEmpty } from "../../base/read-or-empty.ts";
import { named } from "../../base/system-error.ts";

/** Longest time from publishing the file to ssh's request for host keys. Certificates last 120 s. */
const READING_MS_MAX = 45_000;
/** Longest time from the request for host keys to the signature, which is ssh's next step. */
const SIGNING_MS_MAX = 3_000;

/** Names of files of `host` in the OpenSSH folder. No host name holds `_`. */
export function keyFileNames(host: string) {
  return {
    key: host,
    /** Marks a key that is for one connection only. */
    once: `${host}_once`,
    turn: `${host}_turn`,
    /** Followed by the pid of an ssh; holds its start time. */
    reading: `${host}_reading_`,
    /** Followed by the pid of an ssh that has asked for host keys. Read once, by its creator. */
    asked: `${host}_asked_`,
  } as const;
}

/**
 * Records that ssh `pid` has asked for host keys and signs next. A turn's helper is told through a file read,
 * so that it sees this in order with ssh's own reads.
 */
export function noteAsked(folder: string, host: string, pid: string): void {
  const { reading, asked } = keyFileNames(host);
  if (!existsSync(join(folder, `${reading}${pid}`))) return;
  replaceFile(join(folder, `${asked}${pid}`), "");
  readFileSync(join(folder, `${asked}${pid}`));
}

/** Records that ssh `pid` will not read, because its connection failed. */
export function forgetReader(folder: string, host: string, pid: string): void {
  const { reading, asked } = keyFileNames(host);
  for (const name of [reading, asked]) rmSync(join(folder, `${name}${pid}`), { force: true });
}

/** Removes the file of `host` unless some ssh is using it. Touches nothing else and never fails. */
export function dropUnused(folder: string, host: string, clock: Clock): void {
  const path = join(folder, keyFileNames(host).key);
  if (existsSync(path) && readers(folder, host, clock).length === 0) dropKey(folder, host);
}

/** Removes the file of `host`, even if in use. */
export function dropKey(folder: string, host: string): void {
  const { key, once } = keyFileNames(host);
  for (const name of [key, once]) rmSync(join(folder, name), { force: true });
}

/** Records that ssh `pid` will read the key file of `host`. */
export function noteReader(folder: string, host: string, pid: string): void {
  forgetReader(folder, host, pid); // Left by an earlier process with this pid.
  replaceFile(join(folder, `${keyFileNames(host).reading}${pid}`), startTimeOf(pid) ?? "gone");
}

/** Pids of ssh processes between their connection to `host` and their signature. Removes stale entries. */
export function readers(folder: string, host: string, clock: Clock): string[] {
  const { reading } = keyFileNames(host);
  const pids = readdirSync(folder)
    .filter((name) => name.startsWith(reading))
    .map((name) => name.slice(reading.length))
    .filter((pid) => /^\d+$/.test(pid));
  return pids.filter((pid) => {
    const isReading = isBetween(folder, host, pid, clock);
    if (!isReading) forgetReader(folder, host, pid);
    return isReading;
  });
}

function isBetween(folder: string, host: string, pid: string, clock: Clock): boolean {
  const { reading, asked } = keyFileNames(host);
  const path = join(folder, `${reading}${pid}`);
  if (startTimeOf(pid) !== readOrEmpty(path)) return false;
  const ageMs = (file: string): number | undefined => {
    const madeMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    return madeMs === undefined ? undefined : Math.abs(clock.nowMs() - madeMs);
  };
  const askedMs = ageMs(join(folder, `${asked}${pid}`));
  return askedMs === undefined ? (ageMs(path) ?? Infinity) < READING_MS_MAX : askedMs < SIGNING_MS_MAX;
}

/**
 * Start time of process `pid`, which distinguishes it from a later process with that pid. Undefined: it is
 * gone.
 */
export function startTimeOf(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Replaces a file atomically. Not synced: a file lost in a crash is made again. */
export function replaceFile(path: string, text: string, mode = 0o600): void {
  const fresh = `${path}_${newId()}`;
  try {
    writeFileSync(fresh, text, { mode, flag: "wx" });
    chmodSync(fresh, mode); // Regardless of the umask.
    renameSync(fresh, path);
  } catch (error) {
    // A full disk leaves an empty file.
    rmSync(fresh, { force: true });
    throw named(error, path);
  }
}
