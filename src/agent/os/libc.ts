/**
 * The few C library functions that Bun lacks, through bun:ffi. Linux on x64 and arm64.
 *
 * Loaded at first use, so an agent that serves no session never loads it.
 *
 * @module
 */
import { ptr } from "bun:ffi";
import { type CLibrary, createCLibrary } from "../../base/c-library.ts";
import { QfError } from "../../base/errors.ts";
import { TERMIOS_BYTES } from "../../sshcore/terminal-modes.ts";

const SYMBOLS = {
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  pipe2: { args: ["ptr", "i32"], returns: "i32" },
  signal: { args: ["i32", "i64"], returns: "ptr" },
  syscall: { args: ["i64", "i64", "ptr", "ptr", "i64"], returns: "i64" },
  sigprocmask: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  getresuid: { args: ["ptr", "ptr", "ptr"], returns: "i32" },
  getresgid: { args: ["ptr", "ptr", "ptr"], returns: "i32" },
  initgroups: { args: ["ptr", "u32"], returns: "i32" },
  getgroups: { args: ["i32", "ptr"], returns: "i32" },
  setgroups: { args: ["u64", "ptr"], returns: "i32" },
  dup2: { args: ["i32", "i32"], returns: "i32" },
  getrlimit: { args: ["i32", "ptr"], returns: "i32" },
  setrlimit: { args: ["i32", "ptr"], returns: "i32" },
} as const;

/** Throws ERR_UNAVAILABLE if no C library can be loaded, and then no session can be served. */
export const libc = createCLibrary(
  SYMBOLS,
  () =>
    new QfError("ERR_UNAVAILABLE", "the C library of this system cannot be loaded", {
      hint: "qf agent serves SSH on Linux with glibc or musl",
    }),
);

// <asm-generic/ioctls.h>, <fcntl.h>, <signal.h>; the same on x64 and arm64.
const TCGETS = 0x5401n;
const TCSETS = 0x5402n;
const TIOCSCTTY = 0x540en;
const TIOCSWINSZ = 0x5414n;
const TIOCGPGRP = 0x540fn;
const TIOCGPTN = 0x80045430n;
const TIOCSPTLCK = 0x40045431n;
const F_DUPFD_CLOEXEC = 1030;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const FD_CLOEXEC = 1;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const SIG_SETMASK = 2;
const SIGNAL_MAX = 64;
const SIGCANCEL = 32;
const RT_SIGACTION = process.arch === "arm64" ? 134n : 13n;

/** Opens a pipe that no other child inherits. */
export function openPipe(): { readFd: number; writeFd: number } {
  const fds = new Int32Array(2);
  check(libc().pipe2(ptr(fds), O_CLOEXEC), "a pipe");
  return { readFd: fds[0] as number, writeFd: fds[1] as number };
}

/** Duplicates a descriptor. No other child inherits the copy. */
export function duplicate(fd: number): number {
  const copy = libc().fcntl(fd, F_DUPFD_CLOEXEC, 0);
  check(copy, "a file descriptor");
  return copy;
}

/** Makes `replaced` a duplicate of `fd` and closes what it was before (dup2). */
export function replaceDescriptor(fd: number, replaced: number): void {
  check(libc().dup2(fd, replaced), "a file descriptor");
}

/** getrlimit(2) and setrlimit(2), for resource-limits.ts. */
export function limitCalls(): Pick<CLibrary<typeof SYMBOLS>, "getrlimit" | "setrlimit"> {
  return libc();
}

export function setNonBlocking(fd: number): void {
  const flags = libc().fcntl(fd, F_GETFL, 0);
  check(libc().fcntl(fd, F_SETFL, flags | O_NONBLOCK), "non-blocking mode");
}

export function setCloseOnExec(fd: number): void {
  check(libc().fcntl(fd, F_SETFD, FD_CLOEXEC), "close-on-exec");
}

/** Makes `fd` the controlling terminal of this process, which must be a session leader. */
export function takeControllingTerminal(fd: number): void {
  check(libc().ioctl(fd, TIOCSCTTY, null), "the controlling terminal");
}

/** Unlocks the pty whose master came from `/dev/ptmx`. Returns N of `/dev/pts/N`. */
export function unlockPty(masterFd: number): number {
  const number = new Int32Array(1);
  check(libc().ioctl(masterFd, TIOCSPTLCK, ptr(number)), "a terminal");
  check(libc().ioctl(masterFd, TIOCGPTN, ptr(number)), "a terminal");
  return number[0] as number;
}

/** Sets columns and rows. The kernel sends SIGWINCH. */
export function setWindowSize(
  fd: number,
  size: { cols: number; rows: number; width: number; height: number },
): void {
  const words = Uint16Array.of(size.rows, size.cols, size.width, size.height);
  check(libc().ioctl(fd, TIOCSWINSZ, ptr(words)), "a window size");
}

/** The foreground process group of the terminal with master `fd`. Null: none. */
export function foregroundGroup(fd: number): number | null {
  const group = new Int32Array(1);
  const result = libc().ioctl(fd, TIOCGPGRP, ptr(group));
  return result < 0 || (group[0] ?? 0) <= 0 ? null : (group[0] ?? null);
}

export function readTermios(fd: number): Buffer {
  const bytes = Buffer.alloc(TERMIOS_BYTES);
  check(libc().ioctl(fd, TCGETS, ptr(bytes)), "terminal modes");
  return bytes;
}

export function writeTermios(fd: number, bytes: Buffer): void {
  check(libc().ioctl(fd, TCSETS, ptr(bytes)), "terminal modes");
}

/** Resets every signal to its default and unblocks it, as in a process started by init. */
export function resetSignals(): void {
  for (let number = 1; number <= SIGNAL_MAX; number++) libc().signal(number, 0n);
  // The C library reserves this signal, even if our parent had it ignored.
  const defaultAction = new Uint8Array(32);
  libc().syscall(RT_SIGACTION, BigInt(SIGCANCEL), ptr(defaultAction), null, 8n);
  const none = new Uint8Array(128);
  check(libc().sigprocmask(SIG_SETMASK, ptr(none), null), "the signal mask");
}

/** Real, effective and saved ids. */
export function residentIds(kind: "user" | "group"): readonly [number, number, number] {
  const real = new Uint32Array(1);
  const effective = new Uint32Array(1);
  const saved = new Uint32Array(1);
  const call = kind === "user" ? libc().getresuid : libc().getresgid;
  check(call(ptr(real), ptr(effective), ptr(saved)), "own ids");
  return [real[0] as number, effective[0] as number, saved[0] as number];
}

/** Sets the groups from `user`'s account database entry, and `gid`. */
export function initGroups(user: string, gid: number): void {
  check(libc().initgroups(ptr(Buffer.from(`${user}\0`)), gid), "the groups of an account");
}

/** Supplementary groups of this process, up to the kernel's limit of 65,536. */
export function ownGroups(): number[] {
  const count = libc().getgroups(0, null);
  check(count, "own groups");
  if (count === 0) return [];
  const ids = new Uint32Array(count);
  check(libc().getgroups(count, ptr(ids)), "own groups");
  return [...ids];
}

/** Sets exactly these supplementary groups. */
export function setGroups(ids: readonly number[]): void {
  const list = Uint32Array.from(ids);
  check(libc().setgroups(BigInt(list.length), list.length === 0 ? null : ptr(list)), "supplementary groups");
}

function check(result: number, what: string): void {
  if (result < 0) throw new QfError("ERR_UNAVAILABLE", `the operating system refused ${what}`);
}
