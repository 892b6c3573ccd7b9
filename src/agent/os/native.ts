/**
 * System calls of the agent process itself: the peer and the room of a unix socket, the round trip of a TCP
 * connection, and immediate acknowledgement.
 *
 * @module
 */
import { FFIType, ptr } from "bun:ffi";
import { createCLibrary } from "../../base/c-library.ts";

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_SNDBUF = 7;
/** As SO_SNDBUF, beyond the system's bound: for root. */
const SO_SNDBUFFORCE = 32;
const IPPROTO_TCP = 6;
// <linux/tcp.h>, struct tcp_info: tcpi_rtt in microseconds at byte 68.
const TCP_INFO = 11;
const TCP_INFO_BYTES = 104;
const TCP_INFO_RTT = 68;
const TCP_QUICKACK = 12;

const SYMBOLS = {
  getsockopt: {
    args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.ptr],
    returns: FFIType.i32,
  },
  setsockopt: {
    args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.i32],
    returns: FFIType.i32,
  },
} as const;

const SOL_IP = 0;
// <linux/netfilter_ipv4.h>; it gives a struct sockaddr_in.
const SO_ORIGINAL_DST = 80;
const SOCKADDR_IN_BYTES = 16;
const AF_INET = 2;

const ON = new Int32Array([1]);

const libc = createCLibrary(SYMBOLS);

/**
 * Where the program at the other end of TCP socket `fd` meant to connect, before the packet filter sent it
 * here. Null: the system does not say.
 */
export function originalDestination(fd: number): { readonly address: string; readonly port: number } | null {
  if (process.platform !== "linux") return null;
  const found = Buffer.alloc(SOCKADDR_IN_BYTES);
  const length = new Int32Array([found.length]);
  if (libc().getsockopt(fd, SOL_IP, SO_ORIGINAL_DST, ptr(found), ptr(length)) !== 0) return null;
  if (found.readUInt16LE(0) !== AF_INET) return null;
  return { address: [...found.subarray(4, 8)].join("."), port: found.readUInt16BE(2) };
}

/** Who opened the other end of a unix socket. */
export interface SocketPeer {
  /** 0: not in our PID namespace. */
  readonly pid: number;
  readonly uid: number;
}

/** The process that opened the other end of unix socket `fd`. Null where the system does not say. */
export function socketPeer(fd: number): SocketPeer | null {
  if (process.platform !== "linux") return null;
  const credentials = new Int32Array(3); // struct ucred: pid, uid, gid.
  const length = new Int32Array([credentials.byteLength]);
  const failed = libc().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ptr(credentials), ptr(length)) !== 0;
  return failed ? null : { pid: credentials[0] ?? 0, uid: (credentials[1] ?? -1) >>> 0 };
}

/**
 * Milliseconds there and back of the TCP connection `fd`, as the kernel has smoothed them. Null where it
 * does not say, or has not measured yet.
 */
export function tcpRoundTripMs(fd: number): number | null {
  if (process.platform !== "linux") return null;
  const info = new Uint32Array(TCP_INFO_BYTES / 4);
  const length = new Int32Array([info.byteLength]);
  if (libc().getsockopt(fd, IPPROTO_TCP, TCP_INFO, ptr(info), ptr(length)) !== 0) return null;
  const microseconds = (length[0] ?? 0) > TCP_INFO_RTT ? (info[TCP_INFO_RTT / 4] ?? 0) : 0;
  return microseconds === 0 ? null : Math.round(microseconds / 10) / 100;
}

/**
 * Acknowledges what TCP socket `fd` has received, without the delay of up to 40 ms that saves a packet.
 * Linux forgets it with the next answer. Does nothing elsewhere, and for what is no such socket.
 */
export function acknowledgeNow(fd: number): void {
  if (process.platform === "linux") libc().setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, ptr(ON), ON.byteLength);
}

/**
 * Lets as many bytes wait in unix socket `fd` for its other end; the kernel adds its own share. Without root
 * it is what the system allows anybody. Does nothing elsewhere, and for what is no socket.
 */
export function widenSocket(fd: number, bytes: number): void {
  if (process.platform !== "linux") return;
  const room = new Int32Array([bytes]);
  const set = (option: number): boolean =>
    libc().setsockopt(fd, SOL_SOCKET, option, ptr(room), room.byteLength) === 0;
  if (!set(SO_SNDBUFFORCE)) set(SO_SNDBUF);
}
