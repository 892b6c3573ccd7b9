/**
 * System calls for the agent's own sockets: peer and buffer of a unix socket, original destination, round
 * trip and immediate acknowledgement of a TCP connection.
 *
 * @module
 */
import { FFIType, ptr } from "bun:ffi";
import { createCLibrary } from "../../base/c-library.ts";

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_SNDBUF = 7;
/** Like SO_SNDBUF, but may exceed the system's limit. For root. */
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
// <linux/netfilter_ipv4.h>. Returns a struct sockaddr_in.
const SO_ORIGINAL_DST = 80;
const SOCKADDR_IN_BYTES = 16;
const AF_INET = 2;

const ON = new Int32Array([1]);

const libc = createCLibrary(SYMBOLS);

/**
 * Where the program at the other end of TCP socket `fd` connected to, before the packet filter redirected it
 * here. Null: unknown.
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
  /** 0: outside our PID namespace. */
  readonly pid: number;
  readonly uid: number;
}

/** The process that opened the other end of unix socket `fd`. Null: unknown. */
export function socketPeer(fd: number): SocketPeer | null {
  if (process.platform !== "linux") return null;
  const credentials = new Int32Array(3); // struct ucred: pid, uid, gid.
  const length = new Int32Array([credentials.byteLength]);
  const failed = libc().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ptr(credentials), ptr(length)) !== 0;
  return failed ? null : { pid: credentials[0] ?? 0, uid: (credentials[1] ?? -1) >>> 0 };
}

/**
 * The kernel's smoothed round-trip time of TCP connection `fd` in milliseconds. Null: unknown or not yet
 * measured.
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
 * Acknowledges what TCP socket `fd` received, without the delay of up to 40 ms (TCP_QUICKACK). Linux reverts
 * to delaying with the next answer. No effect elsewhere, or on other descriptors.
 */
export function acknowledgeNow(fd: number): void {
  if (process.platform === "linux") libc().setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, ptr(ON), ON.byteLength);
}

/**
 * Lets `bytes` wait in unix socket `fd` for its other end; the kernel adds its own overhead. Without root the
 * system's limit applies. No effect elsewhere, or on other descriptors.
 */
export function widenSocket(fd: number, bytes: number): void {
  if (process.platform !== "linux") return;
  const room = new Int32Array([bytes]);
  const set = (option: number): boolean =>
    libc().setsockopt(fd, SOL_SOCKET, option, ptr(room), room.byteLength) === 0;
  if (!set(SO_SNDBUFFORCE)) set(SO_SNDBUF);
}
