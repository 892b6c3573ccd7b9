/**
 * System calls of the SFTP server that node:fs lacks, through bun:ffi. Linux on x64 and arm64, glibc and
 * musl.
 *
 * @module
 */
import { CString, type Pointer, ptr, read } from "bun:ffi";
import { constants } from "node:os";
import { createCLibrary } from "../../base/c-library.ts";
import { ErrnoError } from "./status.ts";

const SYMBOLS = {
  __errno_location: { args: [], returns: "ptr" },
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  // Typed for the last two calls below.
  syscall: { args: ["i64", "i64", "ptr", "i64", "ptr", "u64"], returns: "i64" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  fchmodat: { args: ["i32", "ptr", "u32", "i32"], returns: "i32" },
  statvfs: { args: ["ptr", "ptr"], returns: "i32" },
  fstatvfs: { args: ["i32", "ptr"], returns: "i32" },
  localtime_r: { args: ["ptr", "ptr"], returns: "ptr" },
  getpwuid: { args: ["u32"], returns: "ptr" },
  getpwnam: { args: ["ptr"], returns: "ptr" },
  getgrgid: { args: ["u32"], returns: "ptr" },
} as const;

const libc = createCLibrary(SYMBOLS, () => new ErrnoError(constants.errno.ENOSYS));

const PR_SET_DUMPABLE = 4;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const RENAME_NOREPLACE = 1n;
/** <asm/unistd.h>. Called by number, because older C libraries lack the functions. */
const CALL =
  process.arch === "arm64" ? { getdents64: 61n, renameat2: 276n } : { getdents64: 217n, renameat2: 316n };

/**
 * Protects this process from `/proc/self/mem` and ptrace(2). Otherwise a user who may write files could write
 * the server's memory and so run code, although the policy grants files only.
 */
export function forbidTracing(): void {
  check(libc().prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n));
}

/** struct pollfd of poll(2): descriptor, requested events, returned events. */
const polled = new Int32Array(2);
const POLLIN = 1;
const POLLOUT = 4;

/** Whether `fd` becomes readable or ends within `timeoutMs`. */
export function isReadable(fd: number, timeoutMs: number): boolean {
  return isReady(fd, POLLIN, timeoutMs);
}

/** Whether `fd` becomes writable, or its other end closes, within `timeoutMs`. */
export function isWritable(fd: number, timeoutMs: number): boolean {
  return isReady(fd, POLLOUT, timeoutMs);
}

function isReady(fd: number, events: number, timeoutMs: number): boolean {
  polled[0] = fd;
  polled[1] = events;
  return libc().poll(ptr(polled), 1n, timeoutMs) > 0;
}

/** chmod(2) that does not follow a link. On Linux a symbolic link has no mode to change. */
export function changeModeNoFollow(path: Buffer, mode: number): void {
  check(libc().fchmodat(AT_FDCWD, ptr(terminated(path)), mode, AT_SYMLINK_NOFOLLOW));
}

/** rename(2) that never replaces a file. Throws EEXIST, or EINVAL if the file system cannot guarantee it. */
export function renameNoReplace(from: Buffer, to: Buffer): void {
  // Addresses are taken last: a buffer that nothing refers to any more may be freed by the next allocation.
  const [source, target, cwd] = [terminated(from), terminated(to), BigInt(AT_FDCWD)];
  check(Number(libc().syscall(CALL.renameat2, cwd, ptr(source), cwd, ptr(target), RENAME_NOREPLACE)));
}

/** Reads directory entries from `fd` into `target` (see `getdents(2)`). 0 at the end. */
export function readEntries(fd: number, target: Buffer): number {
  return check(
    Number(libc().syscall(CALL.getdents64, BigInt(fd), ptr(target), BigInt(target.length), null, 0n)),
  );
}

/** struct statvfs: eleven 64-bit fields, then padding. */
const STATVFS_FIELDS = 11;
const STATVFS_BYTES = 256;

/** Fields of statvfs(3): bsize frsize blocks bfree bavail files ffree favail fsid flag namemax. */
export function fileSystemOf(target: Buffer | number): bigint[] {
  const bytes = Buffer.alloc(STATVFS_BYTES);
  if (typeof target === "number") check(libc().fstatvfs(target, ptr(bytes)));
  else check(libc().statvfs(ptr(terminated(target)), ptr(bytes)));
  return Array.from({ length: STATVFS_FIELDS }, (_, index) => bytes.readBigUInt64LE(index * 8));
}

export interface LocalTime {
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  /** January is 0. */
  readonly month: number;
  readonly year: number;
}

/** struct tm: int second, minute, hour, day, month, year first. It has 56 bytes. */
const TM_BYTES = 64;
// Own buffers never move, so their addresses are taken once.
const tm = new Int32Array(new ArrayBuffer(TM_BYTES));
const time = new BigInt64Array(new ArrayBuffer(8));
const tmAddress = ptr(tm);
const timeAddress = ptr(time);

/** Local time. A `Date` would first load all time zones, which takes 10 ms. */
export function localTime(seconds: number): LocalTime {
  time[0] = BigInt(seconds);
  libc().localtime_r(timeAddress, tmAddress);
  const [, minute = 0, hour = 0, day = 0, month = 0, years = 0] = tm;
  return { minute, hour, day, month, year: 1900 + years };
}

/** struct passwd: name, password, uid and gid, gecos, home, shell. */
const PASSWD_HOME_OFFSET = 32;

/** Name of a user id from any account source. Null: none. */
export function userName(uid: number): string | null {
  return textAt(libc().getpwuid(uid), 0);
}

/** Name of a group id. Null: none. */
export function groupName(gid: number): string | null {
  return textAt(libc().getgrgid(gid), 0);
}

/** Home of an account by name or user id. Null: no such account. */
export function homeOf(account: Buffer | number): string | null {
  const { getpwuid, getpwnam } = libc();
  const entry = typeof account === "number" ? getpwuid(account) : getpwnam(ptr(terminated(account)));
  return textAt(entry, PASSWD_HOME_OFFSET);
}

/** The text at the pointer that a struct has at `offset`. */
function textAt(struct: Pointer | bigint | null, offset: number): string | null {
  if (struct === null) return null;
  const text = read.ptr(toPointer(struct), offset);
  return text === 0 ? null : new CString(toPointer(text)).toString();
}

/** Addresses in user space are far below the limit of exact numbers. */
function toPointer(address: Pointer | bigint | number): Pointer {
  return Number(address) as Pointer;
}

function terminated(path: Buffer): Buffer {
  return Buffer.concat([path, Buffer.alloc(1)]);
}

function check(result: number): number {
  if (result >= 0) return result;
  const at = libc().__errno_location();
  throw new ErrnoError(at === null ? constants.errno.EIO : read.i32(toPointer(at), 0));
}
