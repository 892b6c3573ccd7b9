/**
 * The file that ssh(1) reads for one host: a private key whose public half is its certificate.
 *
 * Key and certificate are one file, replaced by rename, so that twenty `ssh` to one host never mix one
 * login's key with another's certificate. The difficulty is when ssh reads it. OpenSSH up to 10.4 looks for
 * the public half once the ProxyCommand has ended; 10.5 and later do so at the start, before any ProxyCommand
 * runs. All of them read the file again to sign. So ssh uses the file it finds at the start, and its key must
 * still be there at the end. Three rules ensure this:
 *
 * - `qf proxy match`, which every ssh runs before it looks, removes a file that no other ssh is using
 *   (`dropUnused`). So an ssh finds nothing, or the key of a cached and valid login.
 * - A key is replaced by another only while no ssh is between its connection and its signature. Each such
 *   ssh is recorded (`H_reading_PID`) until shortly after it has asked for host keys.
 * - A login for a single connection takes the turn at its host: a lock inherited by a helper
 *   (`key-cleanup.ts`) that removes the file once ssh has signed. So such a login leaves nothing behind.
 *
 * @module
 */

import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { tryLock } from "../../base/file-lock.ts";
import { named } from "../../base/files.ts";
import { newId } from "../../base/new-id.ts";
import { holdsKeyOf } from "./held-key.ts";
import { watchReads } from "./read-watch.ts";

/** Longest time from publishing the file to ssh's request for host keys. Certificates last 120 s. */
const READING_MS_MAX = 45_000;
/** Longest time from the request for host keys to the signature, which is ssh's next step. */
const SIGNING_MS_MAX = 3_000;
/** Longest wait for the turn at a host, or for its readers. */
const TURN_WAIT_MS = 60_000;
const TURN_POLL_MS = 5;
/** A key file to publish. */
export interface KeyFile {
  /** Contents: see `opensshPrivateKey`. */
  readonly text: string;
  /** Whether the login outlives this connection. */
  readonly isKept: boolean;
  /** Pid of the ssh(1) that will read it. Undefined: none. */
  readonly readerPid: string | undefined;
}

/** The turn at a host. Both descriptors go to the helper. */
export interface Turn {
  readonly lockFd: number;
  readonly watchFd: number;
}

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
 * Writes `file` where ssh will read it. Undefined: done. A turn: the file is for one ssh only, and the caller
 * must start a helper with the turn before that ssh continues.
 *
 * Throws ERR_TIMEOUT when others hold the turn, or read, for a minute.
 */
export async function publishKey(
  folder: string,
  host: string,
  file: KeyFile,
  clock: Clock,
): Promise<Turn | undefined> {
  const names = keyFileNames(host);
  const path = join(folder, names.key);
  const lockFd = await takeTurn(join(folder, names.turn), clock);
  try {
    if (!holdsKeyOf(readOrEmpty(path), file.text)) await waitForReaders(folder, host, clock);
    if (file.readerPid !== undefined) noteReader(folder, host, file.readerPid);
    if (!file.isKept) {
      const watchFd = watchReads(folder);
      replaceFile(join(folder, names.once), "");
      replaceFile(path, file.text);
      return { lockFd, watchFd };
    }
    rmSync(join(folder, names.once), { force: true });
    if (!existsSync(path)) forgetOthers(folder, file.text, clock);
    replaceFile(path, file.text);
  } catch (error) {
    closeSync(lockFd);
    throw error;
  }
  closeSync(lockFd);
  return undefined;
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

/** Removes every key after a logout. Open connections stay. */
export function forgetKeys(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of keyFiles(folder)) dropKey(folder, name);
}

/** Key files: those named for hosts, whose names contain no `_`. */
function keyFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => !name.includes("_"));
}

/** Removes the files of ended logins at every host where no ssh uses one. */
function forgetOthers(folder: string, text: string, clock: Clock): void {
  for (const host of keyFiles(folder)) {
    if (!holdsKeyOf(readOrEmpty(join(folder, host)), text)) dropUnused(folder, host, clock);
  }
}

function noteReader(folder: string, host: string, pid: string): void {
  forgetReader(folder, host, pid); // Left by an earlier process with this pid.
  replaceFile(join(folder, `${keyFileNames(host).reading}${pid}`), startTimeOf(pid) ?? "gone");
}

/** Pids of ssh processes between their connection to `host` and their signature. Removes stale entries. */
function readers(folder: string, host: string, clock: Clock): string[] {
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

/** Waits until no ssh is between its connection and its signature. Throws ERR_TIMEOUT. */
async function waitForReaders(folder: string, host: string, clock: Clock): Promise<void> {
  const startedMs = clock.monotonicMs();
  while (readers(folder, host, clock).length > 0) {
    if (clock.monotonicMs() - startedMs > TURN_WAIT_MS) throw turnTimeout();
    await Bun.sleep(TURN_POLL_MS);
  }
}

async function takeTurn(path: string, clock: Clock): Promise<number> {
  const fd = openSync(path, "a", 0o600);
  const startedMs = clock.monotonicMs();
  while (!tryLock(fd)) {
    if (clock.monotonicMs() - startedMs > TURN_WAIT_MS) {
      closeSync(fd);
      throw turnTimeout();
    }
    await Bun.sleep(TURN_POLL_MS);
  }
  return fd;
}

function turnTimeout(): QfError {
  return new QfError("ERR_TIMEOUT", "other connections to this peer are still signing in", {
    hint: "try again, or keep a login with qf login --ssh-jwt-cache-ttl SECONDS",
  });
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

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
