/**
 * The standard error of the ssh(1) that called us, when ours leads nowhere.
 *
 * With `ControlPersist` (the default of ansible) ssh starts its ProxyCommand with /dev/null as standard
 * error, while its own is still the person's until it goes into the background. The page to sign in at and
 * the reason of a refusal are for that person, so we write there, or at the terminal. Linux only.
 *
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { createCLibrary } from "../base/c-library.ts";
import { QfError } from "../base/errors.ts";
import { findCaller } from "./ssh-caller.ts";

const STDERR_FD = 2;
/** Never waits for a reader, never becomes our terminal, never writes over what is there. */
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
 * Makes the calling ssh's standard error ours if ours is /dev/null. Changes nothing when theirs is /dev/null
 * too: the person wanted it so. Never throws, and looks at no process but our parent, and at that only if it
 * is an ssh of our user.
 */
export function takeCallerStderr(): void {
  try {
    if (!isNull(STDERR_FD)) return;
    const pid = parentPid();
    if (pid === undefined || findCaller(pid) === undefined) return;
    if (statSync(`/proc/${pid}`).uid !== process.getuid?.()) return;
    const fd = openTheirs(pid) ?? tryOpen("/dev/tty");
    if (fd === undefined) return;
    // As long as it is our parent, its number was no other process's.
    if (parentPid() === pid && !isNull(fd)) {
      libc().dup2(fd, STDERR_FD);
    }
    closeSync(fd);
  } catch {
    // A system without /proc or bun:ffi: stderr stays what ssh made it.
  }
}

/** A pipe, a file or a terminal is opened anew; a socket can only be copied. */
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

/** `process.ppid` may be remembered from the start. */
function parentPid(): number | undefined {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const pid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  return pid > 1 ? pid : undefined;
}

function isNull(fd: number): boolean {
  const { rdev, mode } = fstatSync(fd);
  return (mode & constants.S_IFMT) === constants.S_IFCHR && rdev === statSync("/dev/null").rdev;
}
