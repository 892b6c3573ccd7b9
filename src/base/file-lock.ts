/**
 * A lock on an open file that the kernel releases when its holder ends, however it ends (flock(2)).
 *
 * @module
 */
import { createCLibrary } from "./c-library.ts";

const LOCK_EXCLUSIVE_NOW = 2 | 4; // LOCK_EX | LOCK_NB of <sys/file.h>.

const libc = createCLibrary({ flock: { args: ["i32", "i32"], returns: "i32" } });

/**
 * Takes the lock of the open file `fd` without waiting. False: another open file of it holds the lock, in
 * this process or another. Released by closing `fd`. Throws ERR_UNAVAILABLE without a C library.
 */
export function tryLock(fd: number): boolean {
  return libc().flock(fd, LOCK_EXCLUSIVE_NOW) === 0;
}
