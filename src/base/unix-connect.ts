/**
 * Connects to unix sockets with connect(2) itself, through bun:ffi. Linux on x64 and arm64.
 *
 * When a server answers and closes at once, Bun's own connect reports ECONNRESET and loses the answer. It
 * reads an already connected descriptor to its end.
 *
 * @module
 */
import { type Pointer, ptr, read } from "bun:ffi";
import { closeSync } from "node:fs";
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { createCLibrary } from "./c-library.ts";

const SYMBOLS = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  __errno_location: { args: [], returns: "ptr" },
} as const;

// <bits/socket.h>; the same on x64 and arm64.
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
/** sun_path of struct sockaddr_un, with the final NUL. */
const PATH_BYTES_MAX = 108;
const FAMILY_BYTES = 2;
/** Pause before the next try when the server's queue is full. */
const RETRY_MS = 10;

const libc = createCLibrary(SYMBOLS);

/**
 * Returns a descriptor connected to the socket at `path`, non-blocking and close-on-exec; the caller closes
 * it. Waits up to `timeoutMs` while the server's queue is full. Throws an error with the system's `code`.
 */
export async function connectUnix(path: string, timeoutMs: number): Promise<number> {
  const address = addressOf(path);
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    const fd = libc().socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) throw failure(lastErrno());
    if (libc().connect(fd, ptr(address), address.length) === 0) return fd;
    const errno = lastErrno();
    closeSync(fd);
    if (errno !== constants.errno.EAGAIN && errno !== constants.errno.EINTR) throw failure(errno);
    if (performance.now() >= untilMs) throw failure(constants.errno.ETIMEDOUT);
    await Bun.sleep(RETRY_MS);
  }
}

/** struct sockaddr_un. */
function addressOf(path: string): Buffer {
  const name = Buffer.from(path);
  if (name.length === 0 || name.includes(0)) throw failure(constants.errno.ENOENT);
  if (name.length >= PATH_BYTES_MAX) throw failure(constants.errno.ENAMETOOLONG);
  const address = Buffer.alloc(FAMILY_BYTES + name.length + 1);
  address.writeUInt16LE(AF_UNIX);
  address.set(name, FAMILY_BYTES);
  return address;
}

function lastErrno(): number {
  const at = libc().__errno_location();
  return at === null ? constants.errno.EIO : read.i32(Number(at) as Pointer, 0);
}

function failure(errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`connect ${code}`), { code, errno, syscall: "connect" });
}
