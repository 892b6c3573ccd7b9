/**
 * System calls of the proxy by bun:ffi: handing a descriptor over, looking at a socket without reading from
 * it, locks, and hearing when a file was read. Linux on x64 and arm64.
 *
 * @module
 */
import { ptr } from "bun:ffi";
import { type CLibrary, openCLibrary } from "../base/c-library.ts";
import { QfError } from "../base/errors.ts";

const SYMBOLS = {
  sendmsg: { args: ["i32", "ptr", "i32"], returns: "i64" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  socketpair: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  inotify_init1: { args: ["i32"], returns: "i32" },
  inotify_add_watch: { args: ["i32", "ptr", "u32"], returns: "i32" },
} as const;
/** glibc under its one name; musl under the names its distributions use. */

// <bits/socket.h>, <fcntl.h>, <sys/file.h>, <sys/inotify.h>; the same on x64 and arm64.
const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_PEEK_NOW = 0x02 | 0x40;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const LOCK_EXCLUSIVE_NOW = 2 | 4;
const IN_CLOSE_NOWRITE = 0x10;
const IN_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;

/** What each direction of a pair may hold, as far as the kernel allows it: fewer turns for as many bytes. */
const PAIR_BYTES = 512 * 1024;

let loaded: CLibrary<typeof SYMBOLS> | undefined;

function libc(): CLibrary<typeof SYMBOLS> {
  if (process.platform === "linux") loaded ??= openCLibrary(SYMBOLS);
  if (loaded !== undefined) return loaded;
  throw new QfError("ERR_UNAVAILABLE", "OpenSSH cannot be given a connection on this system", {
    hint: "use qf ssh",
  });
}

/**
 * Sends the open file `fd` over the unix socket `socketFd`, as ssh(1) expects it of a ProxyCommand with
 * `ProxyUseFdpass yes`: one byte with one SCM_RIGHTS message. `fd` is made blocking first, as a
 * socket is that ssh opens itself. Throws ERR_SSH when nobody takes it.
 */
export function passDescriptor(socketFd: number, fd: number): void {
  const { fcntl, sendmsg } = libc();
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL, 0) & ~O_NONBLOCK);
  const byte = Buffer.alloc(1);
  const iov = Buffer.alloc(16);
  iov.writeBigUInt64LE(BigInt(ptr(byte)), 0);
  iov.writeBigUInt64LE(1n, 8);
  // struct cmsghdr: length, level, type; then the descriptor, padded to 8 bytes.
  const control = Buffer.alloc(24);
  control.writeBigUInt64LE(20n, 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  control.writeInt32LE(fd, 16);
  // struct msghdr: name, its length, iov, their number, control, its length, flags.
  const message = Buffer.alloc(56);
  message.writeBigUInt64LE(BigInt(ptr(iov)), 16);
  message.writeBigUInt64LE(1n, 24);
  message.writeBigUInt64LE(BigInt(ptr(control)), 32);
  message.writeBigUInt64LE(24n, 40);
  const sent = Number(sendmsg(socketFd, ptr(message), MSG_NOSIGNAL));
  if (sent !== 1) throw new QfError("ERR_SSH", "ssh did not take the connection");
}

/** Two connected unix sockets; a child gets only what it is given. Throws ERR_UNAVAILABLE. */
export function socketPair(): [number, number] {
  const pair = new Int32Array(2);
  const made = libc().socketpair(AF_UNIX, SOCK_STREAM_CLOEXEC, 0, ptr(pair)) === 0;
  const [one, other] = pair;
  if (made && one !== undefined && other !== undefined) {
    const bytes = Int32Array.of(PAIR_BYTES);
    for (const fd of pair) libc().setsockopt(fd, SOL_SOCKET, SO_SNDBUF, ptr(bytes), 4);
    return [one, other];
  }
  throw new QfError("ERR_UNAVAILABLE", "no socket is left for the connection");
}

/** What waits to be read at socket `fd`: something, its end or a failure, or nothing yet. Reads nothing. */
export function peekSocket(fd: number): "answer" | "closed" | "nothing" {
  const byte = Buffer.alloc(1);
  const seen = Number(libc().recv(fd, ptr(byte), 1n, MSG_PEEK_NOW));
  if (seen === 1) return "answer";
  if (seen === 0) return "closed";
  return "nothing";
}

/** Takes the lock of the open file `fd` without waiting. False: somebody else holds it. */
export function tryLock(fd: number): boolean {
  return libc().flock(fd, LOCK_EXCLUSIVE_NOW) === 0;
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
