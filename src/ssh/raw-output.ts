/**
 * Output as it comes: raw mode of the platform leaves OPOST on, which turns the remote's line feeds
 * into carriage returns and line feeds and spoils full-screen programs. ssh(1) turns it off as well.
 *
 * @module
 */
import { dlopen, ptr } from "bun:ffi";

// <asm-generic/ioctls.h> and <asm-generic/termbits.h> of Linux; the same on x64 and arm64.
const TCGETS = 0x5401n;
const TCSETS = 0x5402n;
const OFLAG_OFFSET = 4;
const OPOST = 1;
const TERMIOS_BYTES = 64;

/** Turns output processing of the terminal at `fd` off. Elsewhere than on Linux it stays as it is. */
export function disableOutputProcessing(fd: number): void {
  if (process.platform !== "linux") return;
  const ioctl = openIoctl();
  if (ioctl === undefined) return;
  const modes = Buffer.alloc(TERMIOS_BYTES);
  if (ioctl(fd, TCGETS, ptr(modes)) !== 0) return;
  modes.writeUInt32LE(modes.readUInt32LE(OFLAG_OFFSET) & ~OPOST, OFLAG_OFFSET);
  ioctl(fd, TCSETS, ptr(modes));
}

function openIoctl() {
  for (const name of ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"]) {
    try {
      return dlopen(name, { ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" } }).symbols.ioctl;
    } catch {
      // The next name may be this system's.
    }
  }
  return undefined;
}
