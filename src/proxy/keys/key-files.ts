/**
 * The private key and certificate that ssh(1) reads for one host, so that twenty `ssh` to it at once
 * never see the key of one login beside the certificate of another.
 *
 * ssh reads three times after it has its connection: the public half of the key, the certificate, and
 * much later, when it signs, the key again. No swap of files or folders makes that one read, so the
 * key must not change in between. Two pairs per host see to that:
 *
 * - *kept*, `H` and `H-cert.pub`, for a login that is kept: its key is the same for every connection,
 *   only the certificate is replaced, and each fits the key. Another key takes its place only when no
 *   certificate beside it can be in use any more.
 * - *once*, `H_once` and `H_once-cert.pub`, for everything else: a login of a single connection, or one
 *   that came too soon after another. Whoever uses it has the turn at this host: a lock, inherited by a
 *   helper (`key-cleanup.ts`) that watches until ssh has read the key for the second time, takes the pair
 *   away and lets the next one in. So a login that is not kept leaves nothing behind either.
 *
 * Where there is no key there is one that nobody knows and nothing is certified for, since ssh tells the
 * person of every file that is missing when a machine has said no.
 *
 * ssh tries both pairs, so nobody may be reading for a kept login while a turn begins or lasts: that
 * ssh is noted (`H_reading_PID`) until it asks for host keys, which it does after both first reads.
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
import { generateEd25519 } from "../../base/ed25519.ts";
import { QfError } from "../../base/errors.ts";
import { tryLock } from "../../base/file-lock.ts";
import { named } from "../../base/files.ts";
import { newId } from "../../base/random.ts";
import { watchReads } from "../native.ts";
import { opensshPrivateKey } from "./openssh-key.ts";

/**
 * After this, no certificate published before can still sign in: 120 s of validity, 60 s that clocks
 * may differ, and room.
 */
const PAIR_MS_MAX = 200_000;
/** Longest wait for the turn at a host. Certificates live for 120 s. */
const TURN_WAIT_MS = 60_000;
const TURN_POLL_MS = 5;
const CERTIFICATE_SUFFIX = "-cert.pub";

/** What is published, as file contents. */
export interface KeyPair {
  readonly privateKey: string;
  readonly certificate: string;
  /** Whether the login outlives this connection. */
  readonly isKept: boolean;
  /** The ssh(1) that will read. Undefined: none does. */
  readonly readerPid: string | undefined;
}

/** The turn at a host: both descriptors are for the helper. */
export interface Turn {
  readonly lockFd: number;
  readonly watchFd: number;
}

/** Names of files of `host` in the OpenSSH folder. No host name holds `_`. */
export function keyFileNames(host: string) {
  return {
    key: host,
    certificate: `${host}${CERTIFICATE_SUFFIX}`,
    onceKey: `${host}_once`,
    onceCertificate: `${host}_once${CERTIFICATE_SUFFIX}`,
    turn: `${host}_turn`,
    reading: `${host}_reading_`,
  } as const;
}

/**
 * Puts `pair` where ssh will read it. Undefined: nothing more is to do. A turn: the pair is there for
 * one ssh alone, and a helper has to be started with it before that ssh goes on.
 *
 * Throws ERR_TIMEOUT when others keep the turn for a minute.
 */
export async function publishPair(
  folder: string,
  host: string,
  pair: KeyPair,
  clock: Clock,
): Promise<Turn | undefined> {
  const names = keyFileNames(host);
  const lockFd = await takeTurn(join(folder, names.turn), clock);
  try {
    // What a killed helper left; nobody has the turn but we.
    if (!existsSync(join(folder, names.onceKey)) || existsSync(join(folder, names.onceCertificate))) {
      dropOnce(folder, host);
    }
    if (pair.isKept && publishKept(folder, host, pair, clock)) {
      closeSync(lockFd);
      return undefined;
    }
    await waitForReaders(folder, names.reading, clock);
    if (!existsSync(join(folder, names.key))) replaceFile(join(folder, names.key), nobodysKey());
    const watchFd = watchReads(folder);
    replaceFile(join(folder, names.onceKey), pair.privateKey);
    replaceFile(join(folder, names.onceCertificate), pair.certificate);
    return { lockFd, watchFd };
  } catch (error) {
    closeSync(lockFd);
    throw error;
  }
}

/** Says that ssh `pid` has read public keys and certificates, or never will. */
export function doneReading(folder: string, host: string, pid: string): void {
  rmSync(join(folder, `${keyFileNames(host).reading}${pid}`), { force: true });
}

/** Takes the once pair of `host` away. Only whoever has the turn may. */
export function dropOnce(folder: string, host: string): void {
  const names = keyFileNames(host);
  rmSync(join(folder, names.onceCertificate), { force: true });
  replaceFile(join(folder, names.onceKey), nobodysKey());
}

/** Takes every key and certificate away: the person has signed out. Connections that are open stay. */
export function forgetKeys(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(CERTIFICATE_SUFFIX)) continue;
    rmSync(join(folder, name), { force: true });
    rmSync(join(folder, name.slice(0, -CERTIFICATE_SUFFIX.length)), { force: true });
  }
}

/** Takes away the pairs of logins that are over, at every host: those of another key, long not used. */
function forgetOthers(folder: string, privateKey: string, clock: Clock): void {
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(CERTIFICATE_SUFFIX) || name.endsWith(`_once${CERTIFICATE_SUFFIX}`)) continue;
    const keyPath = join(folder, name.slice(0, -CERTIFICATE_SUFFIX.length));
    if (readOrEmpty(keyPath) === privateKey || isInUse(join(folder, name), clock)) continue;
    rmSync(join(folder, name), { force: true });
    rmSync(keyPath, { force: true });
  }
}

function isInUse(certificatePath: string, clock: Clock): boolean {
  const usedMs = statSync(certificatePath, { throwIfNoEntry: false })?.mtimeMs;
  // A time to come means that the clock was turned back: then nothing is known.
  return usedMs !== undefined && Math.abs(clock.nowMs() - usedMs) < PAIR_MS_MAX;
}

function nobodysKey(): string {
  return opensshPrivateKey(generateEd25519());
}

/** False: the key there is another one and may be in use. */
function publishKept(folder: string, host: string, pair: KeyPair, clock: Clock): boolean {
  const names = keyFileNames(host);
  const keyPath = join(folder, names.key);
  const certificatePath = join(folder, names.certificate);
  if (readOrEmpty(keyPath) !== pair.privateKey) {
    if (isInUse(certificatePath, clock)) return false;
    rmSync(certificatePath, { force: true });
    replaceFile(keyPath, pair.privateKey);
    forgetOthers(folder, pair.privateKey, clock);
  }
  if (pair.readerPid !== undefined) {
    const started = startTimeOf(pair.readerPid) ?? "";
    replaceFile(join(folder, `${names.reading}${pair.readerPid}`), started);
  }
  replaceFile(certificatePath, pair.certificate);
  return true;
}

/** Waits until nobody is between its connection and its certificate. Throws ERR_TIMEOUT. */
async function waitForReaders(folder: string, prefix: string, clock: Clock): Promise<void> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    const reading = readdirSync(folder).filter(
      (name) => /^\d+$/.test(name.slice(prefix.length)) && name.startsWith(prefix),
    );
    for (const name of reading) {
      const path = join(folder, name);
      const started = startTimeOf(name.slice(prefix.length));
      if (started === undefined || started !== readOrEmpty(path)) rmSync(path, { force: true });
    }
    if (reading.length === 0) return;
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
 * When process `pid` was started, so that another one of that number is told apart. Undefined: it is gone.
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

/** Old or new for every reader. Not synced: what is lost in a crash is made again. */
export function replaceFile(path: string, text: string, mode = 0o600): void {
  const fresh = `${path}_${newId()}`;
  try {
    writeFileSync(fresh, text, { mode, flag: "wx" });
    chmodSync(fresh, mode); // The umask does not count.
    renameSync(fresh, path);
  } catch (error) {
    // A full disk leaves an empty one.
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
