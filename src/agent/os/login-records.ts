/**
 * Login records in utmp(5), wtmp(5) and lastlog(8), for terminals as sshd and login(1) keep them.
 *
 * They are written through glibc to files that exist. On a system without these files (musl has none of its
 * own), sessions run without records.
 *
 * @module
 */
import { ptr } from "bun:ffi";
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { isIP } from "node:net";
import { createCLibrary } from "../../base/c-library.ts";
import { nowSeconds, systemClock } from "../../base/clock.ts";

const SYMBOLS = {
  setutxent: { args: [], returns: "void" },
  pututxline: { args: ["ptr"], returns: "ptr" },
  endutxent: { args: [], returns: "void" },
  updwtmpx: { args: ["cstring", "ptr"], returns: "void" },
} as const;

export interface Login {
  readonly user: string;
  readonly uid: number;
  /** Path of the terminal. */
  readonly terminal: string;
  readonly remoteHost: string;
  readonly pid: number;
}

/** The previous login, for "Last login". */
export interface LastLogin {
  readonly atSeconds: number;
  readonly terminal: string;
  readonly host: string;
}

export interface LoginRecord {
  /** Removes the utmp entry and records the end in wtmp. */
  end(): void;
}

// <bits/utmpx.h>, <bits/utmp.h>. Where these files use a 64-bit time_t, later fields move.
const IS_WIDE = process.arch === "arm64";
export const UTMP_BYTES = IS_WIDE ? 400 : 384;
const SESSION_AT = 336;
const TIME_AT = IS_WIDE ? 344 : 340;
const ADDRESS_AT = IS_WIDE ? 360 : 348;
const LASTLOG_BYTES = IS_WIDE ? 296 : 292;
const LASTLOG_LINE_AT = IS_WIDE ? 8 : 4;
const USER_PROCESS = 7;
const DEAD_PROCESS = 8;
const WTMP = "/var/log/wtmp";
const LASTLOG = "/var/log/lastlog";

/** The previous login, read before this one is recorded. Null: none, or unknown. */
export function lastLogin(uid: number): LastLogin | null {
  return quietly(() => readLastLogin(uid)) ?? null;
}

/** Records a login. Never throws, because a record is not worth failing a session. */
export function noteLogin(login: Login): LoginRecord {
  quietly(() => putUtmp(utmpEntry(login, USER_PROCESS)));
  quietly(() => writeLastLogin(login));
  return {
    end() {
      quietly(() => putUtmp(utmpEntry(login, DEAD_PROCESS)));
    },
  };
}

/** One utmp(5) entry. An entry for a dead process has no user and no host. */
export function utmpEntry(login: Login, type: number, atSeconds = nowSeconds(systemClock)): Buffer {
  const entry = Buffer.alloc(UTMP_BYTES);
  const line = login.terminal.replace(/^\/dev\//, "");
  const isAlive = type === USER_PROCESS;
  entry.writeInt16LE(type, 0);
  entry.writeInt32LE(login.pid, 4);
  entry.write(line, 8, 32);
  // The entry's id is the last four characters, as in other programs.
  entry.write(line.replace(/^pts\//, "ts/").slice(-4), 40, 4);
  if (isAlive) {
    entry.write(login.user, 44, 32);
    entry.write(login.remoteHost, 76, 256);
    addressOf(login.remoteHost).copy(entry, ADDRESS_AT);
  }
  entry.writeInt32LE(login.pid, SESSION_AT);
  if (IS_WIDE) entry.writeBigInt64LE(BigInt(atSeconds), TIME_AT);
  else entry.writeInt32LE(atSeconds, TIME_AT);
  return entry;
}

/** Address in network byte order: 4 or 16 bytes. */
function addressOf(host: string): Buffer {
  const mapped = host.replace(/^::ffff:/, "");
  if (isIP(mapped) === 4) return Buffer.from(mapped.split(".").map(Number));
  if (isIP(host) !== 6 || host.includes("%") || host.includes(".")) return Buffer.alloc(0);
  const [head = "", tail] = host.split("::", 2);
  const words = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const missing = tail === undefined ? 0 : Math.max(0, 8 - words(head).length - words(tail).length);
  const all = [...words(head), ...Array<string>(missing).fill("0"), ...words(tail ?? "")];
  return Buffer.from(
    all.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 0xff]),
  );
}

function putUtmp(entry: Buffer): void {
  const calls = library();
  calls.setutxent();
  calls.pututxline(ptr(entry));
  calls.endutxent();
  calls.updwtmpx(Buffer.from(`${WTMP}\0`), ptr(entry));
}

function readLastLogin(uid: number): LastLogin | null {
  const entry = Buffer.alloc(LASTLOG_BYTES);
  const fd = openSync(LASTLOG, "r");
  try {
    if (readSync(fd, entry, 0, LASTLOG_BYTES, uid * LASTLOG_BYTES) !== LASTLOG_BYTES) return null;
  } finally {
    closeSync(fd);
  }
  const atSeconds = IS_WIDE ? Number(entry.readBigInt64LE(0)) : entry.readInt32LE(0);
  if (atSeconds === 0) return null;
  return {
    atSeconds,
    terminal: textAt(entry, LASTLOG_LINE_AT, 32),
    host: textAt(entry, LASTLOG_LINE_AT + 32, 256),
  };
}

/** Only if the file exists: it is not created on systems that have abandoned it. */
function writeLastLogin({ uid, terminal, remoteHost }: Login): void {
  const entry = Buffer.alloc(LASTLOG_BYTES);
  if (IS_WIDE) entry.writeBigInt64LE(BigInt(nowSeconds(systemClock)), 0);
  else entry.writeInt32LE(nowSeconds(systemClock), 0);
  entry.write(terminal.replace(/^\/dev\//, ""), LASTLOG_LINE_AT, 32);
  entry.write(remoteHost, LASTLOG_LINE_AT + 32, 256);
  const fd = openSync(LASTLOG, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    if (fstatSync(fd).isFile()) writeSync(fd, entry, 0, LASTLOG_BYTES, uid * LASTLOG_BYTES);
  } finally {
    closeSync(fd);
  }
}

function textAt(bytes: Buffer, at: number, length: number): string {
  const text = bytes.toString("utf8", at, at + length);
  const end = text.indexOf("\0");
  return (end < 0 ? text : text.slice(0, end)).replace(/[^\x20-\x7e]/g, "?");
}

const library = createCLibrary(SYMBOLS, () => new Error("no C library with login records"));

function quietly<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
