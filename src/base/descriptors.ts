/**
 * Passes open files between processes over a pair of unix sockets (SCM_RIGHTS, unix(7)), through bun:ffi.
 * Linux on x64 and arm64.
 *
 * @module
 */
import { ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { createCLibrary } from "./c-library.ts";
import { QfError } from "./errors.ts";

const SYMBOLS = {
  socketpair: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  sendmsg: { args: ["i32", "ptr", "i32"], returns: "i64" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  send: { args: ["i32", "ptr", "usize", "i32"], returns: "i64" },
  recvmsg: { args: ["i32", "ptr", "i32"], returns: "i64" },
} as const;

// <bits/socket.h>; the same on x64 and arm64.
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 0x08;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
/** struct sockaddr_un. */
const ADDRESS_BYTES = 110;
/** struct cmsghdr. */
const CONTROL_HEADER_BYTES = 16;
/** The kernel's limit for one message (SCM_MAX_FD). */
const DESCRIPTORS_MAX = 253;
const CONTROL_LENGTH_AT = 40;
const FLAGS_AT = 48;

const libc = createCLibrary(SYMBOLS);

/** A socket pair that no child inherits by accident. Message boundaries are kept. */
export function openDescriptorSocket(): readonly [number, number] {
  return openSocketPair(SOCK_SEQPACKET);
}

/** A bidirectional stream socket pair that no child inherits by accident. */
export function openStreamSocket(): readonly [number, number] {
  return openSocketPair(SOCK_STREAM);
}

function openSocketPair(type: number): readonly [number, number] {
  const fds = new Int32Array(2);
  if (libc().socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ptr(fds)) !== 0) {
    throw new QfError("ERR_UNAVAILABLE", "the operating system refused a socket");
  }
  return [fds[0] as number, fds[1] as number];
}

/**
 * Connects to the unix socket at `path` and sends `line`; the answer may carry descriptors. Throws
 * ERR_UNAVAILABLE when nothing listens there.
 */
export function connectDescriptorSocket(path: string, line: string): number {
  const address = Buffer.alloc(ADDRESS_BYTES);
  address.writeUInt16LE(AF_UNIX);
  address.write(path, 2);
  const bytes = Buffer.from(line);
  const fd = libc().socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const isConnected = fd >= 0 && libc().connect(fd, ptr(address), address.length) === 0;
  if (isConnected && Number(libc().send(fd, ptr(bytes), bytes.length, MSG_NOSIGNAL)) === bytes.length) {
    return fd;
  }
  if (fd >= 0) closeSync(fd);
  throw new QfError("ERR_UNAVAILABLE", "nobody listens at a socket of this machine");
}

/** Sends the open file `fd`; ours stays open. Waits for room. Throws when the other end is gone. */
export function sendDescriptor(socketFd: number, fd: number): void {
  const { control, address } = prepared(1);
  control.writeInt32LE(fd, CONTROL_HEADER_BYTES);
  if (Number(libc().sendmsg(socketFd, address, MSG_NOSIGNAL)) !== 1) {
    throw new QfError("ERR_UNAVAILABLE", "nobody takes a descriptor");
  }
}

/**
 * The next descriptor that was sent. Null when there is none, or this process has no free descriptor for it.
 */
export function receiveDescriptor(socketFd: number): number | null {
  const { control, header, address } = prepared(1);
  const got = Number(libc().recvmsg(socketFd, address, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
  if (got !== 1 || (header.readInt32LE(FLAGS_AT) & MSG_CTRUNC) !== 0) return null;
  if (Number(header.readBigUInt64LE(CONTROL_LENGTH_AT)) < CONTROL_HEADER_BYTES + 4) return null;
  const isDescriptor = control.readInt32LE(8) === SOL_SOCKET && control.readInt32LE(12) === SCM_RIGHTS;
  return isDescriptor ? control.readInt32LE(CONTROL_HEADER_BYTES) : null;
}

/**
 * Sends all of `bytes` with the open files `fds`, which arrive with the first byte; ours stay open. Throws
 * when the other end is gone or the socket has no room.
 */
export function sendWithDescriptors(socketFd: number, bytes: Uint8Array, fds: readonly number[]): void {
  const { control, address } = prepared(fds.length, bytes);
  for (const [at, fd] of fds.entries()) control.writeInt32LE(fd, CONTROL_HEADER_BYTES + at * 4);
  const sent = Number(libc().sendmsg(socketFd, address, MSG_NOSIGNAL | MSG_DONTWAIT));
  // Read after the call, the length keeps `bytes` alive until then.
  if (sent !== bytes.length) throw new QfError("ERR_UNAVAILABLE", "nobody takes a message");
}

/**
 * One message serves the whole process: calls never overlap, and its memory never moves. The buffers of a
 * single call could be freed before the call, since only their addresses are still in use.
 */
let message: Message | undefined;

function prepared(descriptors: number, bytes?: Uint8Array): Message {
  message ??= new Message();
  message.prepare(descriptors, bytes);
  return message;
}

/** struct msghdr and what it points to: bytes, and control data with descriptors. */
class Message {
  readonly header = fixed(56);
  readonly control = fixed(controlSpace(DESCRIPTORS_MAX));
  readonly #byte = fixed(1);
  readonly #part = fixed(16);
  /** Address of the header. */
  readonly address = ptr(this.header);

  constructor() {
    this.header.writeBigUInt64LE(BigInt(ptr(this.#part)), 16);
    this.header.writeBigUInt64LE(1n, 24);
    this.header.writeBigUInt64LE(BigInt(ptr(this.control)), 32);
  }

  /** For `bytes`, which the caller keeps alive, and `descriptors`. Resets what the last call left. */
  prepare(descriptors: number, bytes: Uint8Array = this.#byte): void {
    this.#part.writeBigUInt64LE(BigInt(ptr(bytes)), 0);
    this.#part.writeBigUInt64LE(BigInt(bytes.length), 8);
    this.control.fill(0).writeBigUInt64LE(BigInt(CONTROL_HEADER_BYTES + descriptors * 4), 0);
    this.control.writeInt32LE(SOL_SOCKET, 8);
    this.control.writeInt32LE(SCM_RIGHTS, 12);
    const space = descriptors === 0 ? 0 : controlSpace(descriptors);
    this.header.writeBigUInt64LE(BigInt(space), CONTROL_LENGTH_AT);
    this.header.writeInt32LE(0, FLAGS_AT);
  }
}

/** Bytes of control data with so many descriptors, padded to 8. */
function controlSpace(descriptors: number): number {
  return (CONTROL_HEADER_BYTES + descriptors * 4 + 7) & ~7;
}

function fixed(bytes: number): Buffer {
  return Buffer.from(new ArrayBuffer(bytes));
}
