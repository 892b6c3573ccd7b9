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

import { closeSync, existsSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { tryLock } from "../../base/file-lock.ts";
import { readOrEmpty } from "../../base/read-or-empty.ts";
import { holdsKeyOf } from "./held-key.ts";
import { dropKey, dropUnused, keyFileNames, noteReader, readers, replaceFile } from "./key-readers.ts";
import { watchReads } from "./read-watch.ts";

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
