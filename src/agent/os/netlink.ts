/**
 * Netlink messages (RFC 3549, netlink(7)) to Linux's packet filter, through bun:ffi: sockets, messages and
 * attributes.
 *
 * A batch is one transaction: it takes effect as a whole or not at all.
 *
 * @module
 */
import { ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { createCLibrary } from "../../base/c-library.ts";
import { QfError } from "../../base/errors.ts";

const SYMBOLS = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
} as const;

// <linux/netlink.h>, <linux/netfilter/nfnetlink.h>; the same on x64 and arm64.
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_NETFILTER = 12;
const MSG_DONTWAIT = 0x40;
const NLM_F_REQUEST = 0x01;
const NLMSG_ERROR = 2;
const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const SUBSYSTEM = 10;
const NESTED = 0x8000;
const HEADER_BYTES = 16;
const ANSWER_BYTES = 64 * 1024;

/** Error numbers that mean the object does not exist. */
export const ENOENT = 2;

const libc = createCLibrary(SYMBOLS);

/** One message of a batch. */
export interface FilterMessage {
  /** A number of `enum nf_tables_msg_types`. */
  readonly type: number;
  /** NLM_F_CREATE and the like, in addition to NLM_F_REQUEST. */
  readonly flags?: number;
  readonly family: number;
  readonly attributes: readonly Buffer[];
}

export interface FilterSocket {
  /** Sends all messages as one transaction. Throws ERR_UNAVAILABLE with the kernel's error number. */
  commit(messages: readonly FilterMessage[]): void;
  /** Closes the socket. The kernel removes the tables that it owns. */
  close(): void;
}

/** Opens a socket to the packet filter. Throws ERR_UNAVAILABLE if there is none. */
export function openFilterSocket(): FilterSocket {
  const fd = libc().socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) throw new QfError("ERR_UNAVAILABLE", "this system has no nf_tables");
  return {
    commit(messages) {
      const bytes = Buffer.concat([edge(BATCH_BEGIN), ...messages.map(written), edge(BATCH_END)]);
      if (Number(libc().send(fd, ptr(bytes), BigInt(bytes.length), 0)) !== bytes.length) {
        throw new QfError("ERR_UNAVAILABLE", "the packet filter of this system takes no rules");
      }
      const errno = errorOf(fd);
      if (errno !== 0) throw new FilterError(errno);
    },
    close: () => closeSync(fd),
  };
}

/** The kernel rejected a batch. */
export class FilterError extends QfError {
  /** As in errno(3). */
  readonly errno: number;

  constructor(errno: number) {
    super("ERR_UNAVAILABLE", `the packet filter refuses the rules of --intercept (error ${errno})`, {
      hint: "it needs Linux 5.12 or newer with nf_tables and NAT, and CAP_NET_ADMIN",
    });
    this.errno = errno;
  }
}

/** The first error among the answers, which have arrived when `send` returns. 0: none. */
function errorOf(fd: number): number {
  const answer = Buffer.alloc(ANSWER_BYTES);
  for (;;) {
    const length = Number(libc().recv(fd, ptr(answer), BigInt(answer.length), MSG_DONTWAIT));
    if (length < HEADER_BYTES + 4) return 0;
    const errno = answer.readUInt16LE(4) === NLMSG_ERROR ? -answer.readInt32LE(HEADER_BYTES) : 0;
    if (errno !== 0) return errno;
  }
}

function edge(type: number): Buffer {
  return message(type, 0, [generic(0, SUBSYSTEM)]);
}

function written({ type, flags = 0, family, attributes }: FilterMessage): Buffer {
  return message((SUBSYSTEM << 8) | type, flags, [generic(family, 0), ...attributes]);
}

/** struct nlmsghdr in host byte order, which is little-endian on all our platforms. */
function message(type: number, flags: number, parts: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const body = Buffer.concat(parts);
  header.writeUInt32LE(HEADER_BYTES + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(NLM_F_REQUEST | flags, 6);
  return Buffer.concat([header, body]);
}

/** struct nfgenmsg. */
function generic(family: number, resource: number): Buffer {
  return Buffer.from([family, 0, resource >> 8, resource & 0xff]);
}

/** An attribute with raw bytes, padded to four. */
export function attribute(type: number, value: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt16LE(4 + value.length, 0);
  header.writeUInt16LE(type, 2);
  return Buffer.concat([header, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

/** An attribute that contains attributes. */
export function nested(type: number, parts: readonly Buffer[]): Buffer {
  return attribute(type | NESTED, Buffer.concat(parts));
}

/** A number in network byte order. */
export function number(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return attribute(type, bytes);
}

/** Text with its final NUL. */
export function text(type: number, value: string): Buffer {
  return attribute(type, Buffer.from(`${value}\0`, "latin1"));
}
