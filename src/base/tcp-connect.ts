/**
 * Connects to TCP addresses with connect(2) itself, through bun:ffi. Linux on x64 and arm64.
 *
 * A server that answers at once, as any on this machine does, is connected when the call returns. That needs
 * no turn of the event loop and no Bun socket that would have to give the descriptor up again.
 *
 * @module
 */
import { type Pointer, ptr, read } from "bun:ffi";
import { closeSync } from "node:fs";
import { isIPv4 } from "node:net";
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { createCLibrary } from "./c-library.ts";

const SYMBOLS = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  inet_pton: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  if_nametoindex: { args: ["ptr"], returns: "u32" },
  __errno_location: { args: [], returns: "ptr" },
} as const;

// <bits/socket.h>; the same on x64 and arm64.
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const POLLOUT = 4;
/** struct sockaddr_in and struct sockaddr_in6: family, port, then the address at these offsets. */
const IPV4 = { family: AF_INET, bytes: 16, at: 4 };
const IPV6 = { family: AF_INET6, bytes: 28, at: 8 };
const SCOPE_AT = 24;
/** How long a server that does not answer at once is left alone, and which part of the time so far. */
const LOOK_MS = { min: 0.5, max: 20, part: 1 / 8 };

const libc = createCLibrary(SYMBOLS);

/**
 * Returns a descriptor connected to `address`, an IP address with an optional `%zone`. It is non-blocking and
 * close-on-exec; the caller closes it. Null once `isWanted` returns false. Throws an error with the system's
 * `code`.
 */
export async function connectTcp(
  address: string,
  port: number,
  isWanted: () => boolean,
): Promise<number | null> {
  const to = addressOf(address, port);
  return connectTo(openSocket(to.readUInt16LE()), to, isWanted);
}

/** A socket that `connectTcpSocket` can connect. It is non-blocking and close-on-exec. */
export function openTcpSocket(family: 4 | 6): number {
  return openSocket(family === 4 ? AF_INET : AF_INET6);
}

/**
 * As `connectTcp`, with a non-blocking socket of the address's family. It stays that of whoever opened it. It
 * is closed unless it is returned.
 */
export async function connectTcpSocket(
  fd: number,
  { address, port }: { readonly address: string; readonly port: number },
  isWanted: () => boolean,
): Promise<number | null> {
  let to: Buffer;
  try {
    to = addressOf(address, port);
  } catch (cause) {
    closeSync(fd);
    throw cause;
  }
  return connectTo(fd, to, isWanted);
}

async function connectTo(fd: number, to: Buffer, isWanted: () => boolean): Promise<number | null> {
  try {
    begin(fd, to);
    const startMs = performance.now();
    while (!isConnected(fd)) {
      const elapsedMs = performance.now() - startMs;
      await Bun.sleep(Math.min(LOOK_MS.max, Math.max(LOOK_MS.min, elapsedMs * LOOK_MS.part)));
      if (isWanted()) continue;
      closeSync(fd);
      return null;
    }
    return fd;
  } catch (cause) {
    closeSync(fd);
    throw cause;
  }
}

function openSocket(family: number): number {
  const fd = libc().socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw failure(lastErrno());
  return fd;
}

function begin(fd: number, address: Buffer): void {
  if (libc().connect(fd, ptr(address), address.length) === 0) return;
  const errno = lastErrno();
  if (errno === constants.errno.EINPROGRESS || errno === constants.errno.EINTR) return;
  throw failure(errno);
}

/** Throws the reason when it never will be. */
function isConnected(fd: number): boolean {
  const polled = new Int32Array([fd, POLLOUT]);
  if (libc().poll(ptr(polled), 1n, 0) <= 0) return false;
  const error = new Int32Array(1);
  const length = new Int32Array([error.byteLength]);
  libc().getsockopt(fd, SOL_SOCKET, SO_ERROR, ptr(error), ptr(length));
  const [errno = 0] = error;
  if (errno !== 0) throw failure(errno);
  return true;
}

function addressOf(text: string, port: number): Buffer {
  const [host = "", zone] = text.split("%", 2);
  const form = isIPv4(host) ? IPV4 : IPV6;
  const made = Buffer.from(new ArrayBuffer(form.bytes));
  made.writeUInt16LE(form.family);
  made.writeUInt16BE(port, 2);
  const { if_nametoindex, inet_pton } = libc();
  const at = (ptr(made) + form.at) as Pointer;
  if (inet_pton(form.family, ptr(Buffer.from(`${host}\0`)), at) !== 1) {
    throw failure(constants.errno.EINVAL);
  }
  if (zone !== undefined && form === IPV6) {
    const index = /^\d+$/.test(zone) ? Number(zone) : if_nametoindex(ptr(Buffer.from(`${zone}\0`)));
    made.writeUInt32LE(index, SCOPE_AT);
  }
  return made;
}

function lastErrno(): number {
  const at = libc().__errno_location();
  return at === null ? constants.errno.EIO : read.i32(Number(at) as Pointer, 0);
}

function failure(errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`connect ${code}`), { code, errno, syscall: "connect" });
}
