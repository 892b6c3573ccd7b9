/**
 * The terminal's own settings, which the platform gives no way to.
 *
 * @module
 */
import { ptr } from "bun:ffi";
import { openCLibrary } from "../base/c-library.ts";

// <asm-generic/ioctls.h> and <asm-generic/termbits.h> of Linux; the same on x64 and arm64.
const TCGETS = 0x5401n;
const TCSETS = 0x5402n;
const OFLAG_OFFSET = 4;
const OPOST = 1;
const TERMIOS_BYTES = 64;

/** struct termios of the kernel of the terminal at `fd`. Null: it is none, or this is not Linux. */
export function readTermios(fd: number): Buffer | null {
  const ioctl = openIoctl();
  const termios = Buffer.alloc(TERMIOS_BYTES);
  return ioctl?.(fd, TCGETS, ptr(termios)) === 0 ? termios : null;
}

/**
 * Turns output processing of the terminal at `fd` off: raw mode of the platform leaves OPOST on, which
 * turns the remote's line feeds into carriage returns and line feeds and spoils full-screen programs.
 * ssh(1) turns it off as well. Elsewhere than on Linux it stays as it is.
 */
export function disableOutputProcessing(fd: number): void {
  const modes = readTermios(fd);
  const ioctl = openIoctl();
  if (modes === null || ioctl === undefined) return;
  modes.writeUInt32LE(modes.readUInt32LE(OFLAG_OFFSET) & ~OPOST, OFLAG_OFFSET);
  ioctl(fd, TCSETS, ptr(modes));
}

function openIoctl() {
  if (process.platform !== "linux") return undefined;
  return openCLibrary({ ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" } })?.ioctl;
}
