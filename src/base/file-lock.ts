/**
 * A file lock that the kernel releases when its holder ends, however it ends (flock(2)).
 *
 * @module
 */
import { createCLibrary } from "./c-library.ts";

const LOCK_EXCLUSIVE_NOW = 2 | 4; // LOCK_EX | LOCK_NB of <sys/file.h>.

const libc = createCLibrary({ flock: { args: ["i32", "i32"], returns: "i32" } });

/**
 * Takes the lock of the open file `fd` without waiting. False when another open description of the file holds
 * the lock, in this process or another. Closing `fd` releases it. Throws ERR_UNAVAILABLE without a C library.
 */
export function tryLock(fd: number): boolean {
  return libc().flock(fd, LOCK_EXCLUSIVE_NOW) === 0;
}
