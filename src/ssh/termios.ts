/**
 * Terminal settings (termios) that the runtime cannot read or change.
 *
 * @module
 */
import { ptr } from "bun:ffi";
import { openCLibrary } from "../base/c-library.ts";
import { platform } from "../base/platform/platform.ts";

// <asm-generic/ioctls.h> and <asm-generic/termbits.h> of Linux; the same on x64 and arm64.
const TCGETS = 0x5401n;
const TCSETS = 0x5402n;
const OFLAG_OFFSET = 4;
const OPOST = 1;
const TERMIOS_BYTES = 64;

/**
 * The kernel's struct termios of the terminal at `fd`. Null when it is not a terminal or this is not Linux.
 */
export function readTermios(fd: number): Buffer | null {
  const ioctl = openIoctl();
  const termios = Buffer.alloc(TERMIOS_BYTES);
  return ioctl?.(fd, TCGETS, ptr(termios)) === 0 ? termios : null;
}

/**
 * Turns off output processing of the terminal at `fd`, as ssh(1) does. The runtime's raw mode leaves OPOST
 * on, which turns the remote's LF into CR LF and breaks full-screen programs. Does nothing on systems without
 * such a setting.
 */
export function disableOutputProcessing(fd: number): void {
  if (platform.termios === "libSystem") disableByLibSystem(fd);
  const modes = readTermios(fd);
  const ioctl = openIoctl();
  if (modes === null || ioctl === undefined) return;
  modes.writeUInt32LE(modes.readUInt32LE(OFLAG_OFFSET) & ~OPOST, OFLAG_OFFSET);
  ioctl(fd, TCSETS, ptr(modes));
}

// struct termios of <sys/termios.h> of macOS: flag words of 64 bits.
const LIBSYSTEM_TERMIOS_BYTES = 72;
const LIBSYSTEM_OFLAG_OFFSET = 8;
const TCSANOW = 0;

/** The two calls of libSystem. ioctl(2), as bun:ffi calls it, does not work on Apple arm64. */
export interface LibSystem {
  tcgetattr(fd: number, termios: Buffer): number;
  tcsetattr(fd: number, when: number, termios: Buffer): number;
}

/** As `disableOutputProcessing`, on macOS. */
export function disableByLibSystem(fd: number, library: LibSystem | undefined = openLibSystem()): void {
  const termios = Buffer.alloc(LIBSYSTEM_TERMIOS_BYTES);
  if (library?.tcgetattr(fd, termios) !== 0) return;
  const oflag = termios.readBigUInt64LE(LIBSYSTEM_OFLAG_OFFSET);
  termios.writeBigUInt64LE(oflag & ~BigInt(OPOST), LIBSYSTEM_OFLAG_OFFSET);
  library.tcsetattr(fd, TCSANOW, termios);
}

function openLibSystem(): LibSystem | undefined {
  const calls = openCLibrary({
    tcgetattr: { args: ["i32", "ptr"], returns: "i32" },
    tcsetattr: { args: ["i32", "i32", "ptr"], returns: "i32" },
  });
  if (calls === undefined) return undefined;
  return {
    tcgetattr: (fd, termios) => calls.tcgetattr(fd, ptr(termios)),
    tcsetattr: (fd, when, termios) => calls.tcsetattr(fd, when, ptr(termios)),
  };
}

function openIoctl() {
  if (platform.termios !== "ioctl") return undefined;
  return openCLibrary({ ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" } })?.ioctl;
}
