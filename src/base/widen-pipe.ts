/**
 * The size of a pipe (F_SETPIPE_SZ of fcntl(2)). Linux only.
 *
 * @module
 */
import { createCLibrary } from "./c-library.ts";

const F_SETPIPE_SZ = 1031;

const libc = createCLibrary({ fcntl: { args: ["i32", "i32", "i32"], returns: "i32" } });

/**
 * Gives a pipe room for `bytes`; the kernel rounds up to a power of two. Does nothing when `fd` is not a pipe
 * or this user has reached the kernel's limit: the pipe then works as before, with more reads and writes.
 */
export function widenPipe(fd: number, bytes: number): void {
  libc().fcntl(fd, F_SETPIPE_SZ, bytes);
}
