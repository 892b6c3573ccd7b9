/**
 * System calls of the proxy through bun:ffi: passing a descriptor, and peeking at a socket. Linux on x64 and
 * arm64.
 *
 * @module
 */
import { ptr } from "bun:ffi";
import { createCLibrary } from "../base/c-library.ts";
import { openStreamSocket, sendDescriptor } from "../base/descriptors.ts";
import { QfError } from "../base/errors.ts";

const SYMBOLS = {
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
} as const;

// <bits/socket.h>, <fcntl.h>; the same on x64 and arm64.
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const MSG_PEEK_NOW = 0x02 | 0x40;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;

/** Buffer size of each direction of a pair, as far as the kernel allows: fewer wake-ups per byte. */
const PAIR_BYTES = 512 * 1024;

const libc = createCLibrary(
  SYMBOLS,
  () =>
    new QfError("ERR_UNAVAILABLE", "OpenSSH cannot be given a connection on this system", {
      hint: "use qf ssh",
    }),
);

/**
 * Sends the open file `fd` over the unix socket `socketFd`, as ssh(1) expects it of a ProxyCommand with
 * `ProxyUseFdpass yes`: one byte with one SCM_RIGHTS message. `fd` is made blocking first, like a socket that
 * ssh opens itself. Throws ERR_SSH when the other end is gone.
 */
export function passDescriptor(socketFd: number, fd: number): void {
  const { fcntl } = libc();
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL, 0) & ~O_NONBLOCK);
  try {
    sendDescriptor(socketFd, fd);
  } catch (cause) {
    throw new QfError("ERR_SSH", "ssh did not take the connection", { cause });
  }
}

/** Two connected unix sockets, not inherited by children unless passed. Throws ERR_UNAVAILABLE. */
export function socketPair(): readonly [number, number] {
  const pair = openStreamSocket();
  const bytes = Int32Array.of(PAIR_BYTES);
  for (const fd of pair) libc().setsockopt(fd, SOL_SOCKET, SO_SNDBUF, ptr(bytes), 4);
  return pair;
}

/** What is pending on socket `fd`: data, its end or a failure, or nothing yet. Consumes nothing. */
export function peekSocket(fd: number): "answer" | "closed" | "nothing" {
  const byte = Buffer.alloc(1);
  const seen = Number(libc().recv(fd, ptr(byte), 1n, MSG_PEEK_NOW));
  if (seen === 1) return "answer";
  if (seen === 0) return "closed";
  return "nothing";
}
