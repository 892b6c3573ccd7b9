/**
 * System calls of the SFTP server that node:fs lacks, by bun:ffi. Linux on x64 and arm64, glibc and musl.
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
  // Of the last two calls, whose arguments these types fit.
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
/** <asm/unistd.h>: called by number, since older C libraries have no function for them. */
const CALL =
  process.arch === "arm64" ? { getdents64: 61n, renameat2: 276n } : { getdents64: 217n, renameat2: 316n };

/**
 * Closes `/proc/self/mem` and ptrace(2) to this process. Without it whoever may write files could write
 * the server's own memory, and so run code where a policy grants files only.
 */
export function forbidTracing(): void {
  check(libc().prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n));
}

/** struct pollfd of poll(2): the descriptor, then what is asked and what is so. */
const polled = new Int32Array(2);
const POLLIN = 1;
const POLLOUT = 4;

/** Whether `fd` has something to read, or has ended, within `timeoutMs`. */
export function isReadable(fd: number, timeoutMs: number): boolean {
  return isReady(fd, POLLIN, timeoutMs);
}

/** Whether `fd` takes something, or nobody reads it any more, within `timeoutMs`. */
export function isWritable(fd: number, timeoutMs: number): boolean {
  return isReady(fd, POLLOUT, timeoutMs);
}

function isReady(fd: number, events: number, timeoutMs: number): boolean {
  polled[0] = fd;
  polled[1] = events;
  return libc().poll(ptr(polled), 1n, timeoutMs) > 0;
}

/** chmod(2) of what `path` names itself; a symbolic link has no mode to change on Linux. */
export function changeModeNoFollow(path: Buffer, mode: number): void {
  check(libc().fchmodat(AT_FDCWD, ptr(terminated(path)), mode, AT_SYMLINK_NOFOLLOW));
}

/** rename(2) that never replaces. Throws EEXIST then, EINVAL where the file system cannot promise it. */
export function renameNoReplace(from: Buffer, to: Buffer): void {
  const source = ptr(terminated(from));
  const target = ptr(terminated(to));
  const cwd = BigInt(AT_FDCWD);
  check(Number(libc().syscall(CALL.renameat2, cwd, source, cwd, target, RENAME_NOREPLACE)));
}

/** Reads directory entries of `fd` into `target` (see `getdents(2)`). Zero at the end. */
export function readEntries(fd: number, target: Buffer): number {
  return check(
    Number(libc().syscall(CALL.getdents64, BigInt(fd), ptr(target), BigInt(target.length), null, 0n)),
  );
}

/** struct statvfs with 64-bit fields: eleven of them, then padding. */
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

/** struct tm begins with second, minute, hour, day, month, year, each an int; it has 56 bytes in all. */
const TM_BYTES = 64;
// With memory of their own, which is never moved: so their addresses are asked for once.
const tm = new Int32Array(new ArrayBuffer(TM_BYTES));
const time = new BigInt64Array(new ArrayBuffer(8));
const tmAddress = ptr(tm);
const timeAddress = ptr(time);

/** The time on this system's walls. A `Date` would first load the zones of the world, for 10 ms. */
export function localTime(seconds: number): LocalTime {
  time[0] = BigInt(seconds);
  libc().localtime_r(timeAddress, tmAddress);
  const [, minute = 0, hour = 0, day = 0, month = 0, years = 0] = tm;
  return { minute, hour, day, month, year: 1900 + years };
}

/** struct passwd: name, password, uid and gid, gecos, home, shell. */
const PASSWD_HOME_OFFSET = 32;

/** The name of a user id, from wherever the system looks; null when it has none. */
export function userName(uid: number): string | null {
  return textAt(libc().getpwuid(uid), 0);
}

/** The name of a group id; null when it has none. */
export function groupName(gid: number): string | null {
  return textAt(libc().getgrgid(gid), 0);
}

/** The home of the account called `name`, or of a user id; null when there is none. */
export function homeOf(account: Buffer | number): string | null {
  const { getpwuid, getpwnam } = libc();
  const entry = typeof account === "number" ? getpwuid(account) : getpwnam(ptr(terminated(account)));
  return textAt(entry, PASSWD_HOME_OFFSET);
}

/** The text to which the pointer at `offset` of a struct points. */
function textAt(struct: Pointer | bigint | null, offset: number): string | null {
  if (struct === null) return null;
  const text = read.ptr(toPointer(struct), offset);
  return text === 0 ? null : new CString(toPointer(text)).toString();
}

/** An address of user space is far below where numbers lose precision. */
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
