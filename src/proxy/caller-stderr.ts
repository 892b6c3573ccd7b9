/**
 * Access to the stderr of the ssh(1) that called us, for when ours is /dev/null.
 *
 * With `ControlPersist` (ansible's default) ssh starts its ProxyCommand with /dev/null as stderr, while its
 * own stderr is still the person's until it goes into the background. The sign-in URL and the reason of a
 * refusal are for that person, so we write there, or to the terminal. Linux only.
 *
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { createCLibrary } from "../base/c-library.ts";
import { QfError } from "../base/errors.ts";
import { findCaller } from "./ssh-caller.ts";

const STDERR_FD = 2;
/** Never blocks on a reader, never acquires a controlling terminal, never overwrites a file. */
const FLAGS = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY | constants.O_APPEND;

const SYMBOLS = {
  dup2: { args: ["i32", "i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  syscall: { args: ["i64", "i64", "i64", "i64"], returns: "i64" },
} as const;
// <asm/unistd.h>, <fcntl.h>; the same on x64 and arm64.
const SYS_PIDFD_OPEN = 434n;
const SYS_PIDFD_GETFD = 438n;
const F_SETFL = 4;

const libc = createCLibrary(
  SYMBOLS,
  () => new QfError("ERR_UNAVAILABLE", "descriptors cannot be moved on this system"),
);

/**
 * Replaces our stderr with the calling ssh's if ours is /dev/null. Does nothing if ssh's is /dev/null too,
 * which is then the person's choice. Never throws. Inspects only our parent, and only if it is an ssh of our
 * user.
 */
export function takeCallerStderr(): void {
  try {
    if (!isNull(STDERR_FD)) return;
    const pid = parentPid();
    if (pid === undefined || findCaller(pid) === undefined) return;
    if (statSync(`/proc/${pid}`).uid !== process.getuid?.()) return;
    const fd = openTheirs(pid) ?? tryOpen("/dev/tty");
    if (fd === undefined) return;
    // While it is still our parent, its pid has not been reused.
    if (parentPid() === pid && !isNull(fd)) {
      libc().dup2(fd, STDERR_FD);
    }
    closeSync(fd);
  } catch {
    // Without /proc or bun:ffi, stderr stays as ssh set it.
  }
}

/** Reopens a pipe, file or terminal; a socket can only be duplicated. */
function openTheirs(pid: number): number | undefined {
  const path = `/proc/${pid}/fd/${STDERR_FD}`;
  const opened = tryOpen(path);
  if (opened !== undefined) {
    libc().fcntl(opened, F_SETFL, constants.O_WRONLY | constants.O_APPEND);
    return opened;
  }
  const process = Number(libc().syscall(SYS_PIDFD_OPEN, BigInt(pid), 0n, 0n));
  if (process < 0) return undefined;
  const copied = Number(libc().syscall(SYS_PIDFD_GETFD, BigInt(process), BigInt(STDERR_FD), 0n));
  closeSync(process);
  return copied < 0 ? undefined : copied;
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, FLAGS);
  } catch {
    return undefined;
  }
}

/** Read afresh: `process.ppid` may be cached. */
function parentPid(): number | undefined {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const pid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  return pid > 1 ? pid : undefined;
}

function isNull(fd: number): boolean {
  const { rdev, mode } = fstatSync(fd);
  return (mode & constants.S_IFMT) === constants.S_IFCHR && rdev === statSync("/dev/null").rdev;
}
