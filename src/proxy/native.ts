/**
 * System calls of the proxy by bun:ffi: handing a descriptor over, looking at a socket without reading from
 * it, and hearing when a file was read. Linux on x64 and arm64.
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
  inotify_init1: { args: ["i32"], returns: "i32" },
  inotify_add_watch: { args: ["i32", "ptr", "u32"], returns: "i32" },
} as const;

// <bits/socket.h>, <fcntl.h>, <sys/inotify.h>; the same on x64 and arm64.
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const MSG_PEEK_NOW = 0x02 | 0x40;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const IN_CLOSE_NOWRITE = 0x10;
const IN_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;

/** What each direction of a pair may hold, as far as the kernel allows it: fewer turns for as many bytes. */
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
 * `ProxyUseFdpass yes`: one byte with one SCM_RIGHTS message. `fd` is made blocking first, as a
 * socket is that ssh opens itself. Throws ERR_SSH when nobody takes it.
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

/** Two connected unix sockets; a child gets only what it is given. Throws ERR_UNAVAILABLE. */
export function socketPair(): readonly [number, number] {
  const pair = openStreamSocket();
  const bytes = Int32Array.of(PAIR_BYTES);
  for (const fd of pair) libc().setsockopt(fd, SOL_SOCKET, SO_SNDBUF, ptr(bytes), 4);
  return pair;
}

/** What waits to be read at socket `fd`: something, its end or a failure, or nothing yet. Reads nothing. */
export function peekSocket(fd: number): "answer" | "closed" | "nothing" {
  const byte = Buffer.alloc(1);
  const seen = Number(libc().recv(fd, ptr(byte), 1n, MSG_PEEK_NOW));
  if (seen === 1) return "answer";
  if (seen === 0) return "closed";
  return "nothing";
}

/** A descriptor at which it can be read which files of `folder` were read to their end. */
export function watchReads(folder: string): number {
  const { inotify_init1, inotify_add_watch } = libc();
  const fd = inotify_init1(IN_NONBLOCK_CLOEXEC);
  const path = Buffer.from(`${folder}\0`);
  if (fd >= 0 && inotify_add_watch(fd, ptr(path), IN_CLOSE_NOWRITE) >= 0) return fd;
  throw new QfError("ERR_UNAVAILABLE", "this system cannot watch a folder", {
    hint: "raise fs.inotify.max_user_instances, or use qf ssh",
  });
}

/** File names in inotify events, in order. Null when events were lost. */
export function readNames(events: Buffer): string[] | null {
  const names: string[] = [];
  for (let at = 0; at + 16 <= events.length; ) {
    const mask = events.readUInt32LE(at + 4);
    const length = events.readUInt32LE(at + 12);
    if ((mask & 0x4000) !== 0) return null; // IN_Q_OVERFLOW
    if (length > 0) names.push(events.toString("utf8", at + 16, at + 16 + length).replace(/\0+$/, ""));
    at += 16 + length;
  }
  return names;
}
