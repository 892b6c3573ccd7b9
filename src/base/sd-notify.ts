/**
 * Service notifications to systemd (sd_notify(3)): one datagram each, to the socket that systemd provides.
 *
 * @module
 */
import { ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { createCLibrary } from "./c-library.ts";

const SYMBOLS = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "usize", "i32", "ptr", "u32"], returns: "i64" },
} as const;

// <bits/socket.h>; the same on x64 and arm64.
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const FAMILY_BYTES = 2;
const PATH_BYTES_MAX = 108;

const libc = createCLibrary(SYMBOLS);

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Sends `state` (`READY=1`, `WATCHDOG=1` …) to NOTIFY_SOCKET. Returns false, and never throws, when there is
 * no socket or it takes nothing: a service works without it.
 */
export function notifySystemd(state: string, environment: Environment): boolean {
  const path = environment.NOTIFY_SOCKET ?? "";
  if (!/^[/@]/.test(path) || Buffer.byteLength(path) >= PATH_BYTES_MAX) return false;
  try {
    const address = Buffer.alloc(FAMILY_BYTES + Buffer.byteLength(path));
    address.writeUInt16LE(AF_UNIX);
    // "@" stands for the leading NUL of an abstract name (unix(7)).
    address.write(path.replace(/^@/, "\0"), FAMILY_BYTES);
    const message = Buffer.from(state);
    const fd = libc().socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    try {
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      return (
        Number(libc().sendto(fd, ptr(message), message.length, flags, ptr(address), address.length)) >= 0
      );
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

/**
 * Interval of `WATCHDOG=1` messages in milliseconds: half of systemd's time-out. Null when no watchdog is
 * set.
 */
export function watchdogMs({ NOTIFY_SOCKET, WATCHDOG_USEC }: Environment): number | null {
  const waitsMs = Number(WATCHDOG_USEC ?? "") / 1000;
  return NOTIFY_SOCKET && waitsMs >= 1_000 ? waitsMs / 2 : null;
}
