/**
 * A pseudo-terminal of our own making: the master end read and written with back-pressure, the slave
 * end owned by the user and given to one child.
 *
 * Bun's `terminal` option hands output over as fast as it comes and cannot be paused, so a fast
 * program before a slow reader would fill the agent's memory; hence the plain file descriptors.
 *
 * @module
 */
import { closeSync, constants, fchmodSync, fchownSync, openSync } from "node:fs";
import { inputModes, type TerminalMode, withTerminalModes } from "../../sshcore/terminal-modes.ts";
import {
  foregroundGroup,
  readTermios,
  setNonBlocking,
  setWindowSize,
  unlockPty,
  writeTermios,
} from "./libc.ts";
import { readLocalText } from "./local-text.ts";
import { type FdReader, type FdWriter, openBothWays } from "./pipes.ts";
import { lookUpGroupId } from "./users.ts";

export interface WindowSize {
  readonly cols: number;
  readonly rows: number;
  /** Pixels; zero: not said. */
  readonly width: number;
  readonly height: number;
}

export interface Pty {
  /** `/dev/pts/N`, for SSH_TTY. */
  readonly path: string;
  /** Given to the child as stdin, stdout and stderr; close it here once the child has it. */
  readonly slaveFd: number;
  /** What the terminal shows. */
  readonly output: FdReader;
  /** What is typed. */
  readonly input: FdWriter;
  resize(size: WindowSize): void;
  /** What it does now with what is typed. Closed, it shows nothing. */
  modes(): { readonly echo: boolean; readonly lines: boolean };
  /** Name of the program in front. Null: it cannot be told. */
  foreground(): string | null;
  closeSlave(): void;
  /** Closes the master: the kernel hangs the session up. */
  close(): void;
}

/** ttys take 16-bit sizes; more than this is somebody's mistake. */
const WINDOW_MAX = 0xffff;
const OPEN_FLAGS = constants.O_RDWR | constants.O_NOCTTY | 0o2000000; // O_CLOEXEC

/**
 * Opens a terminal owned by `uid` and group tty, mode 0620, as login(1) leaves it. Throws when there is none.
 */
export async function openPty(options: {
  readonly uid: number;
  readonly size: WindowSize;
  readonly modes: readonly TerminalMode[];
}): Promise<Pty> {
  const ttyGid = await lookUpGroupId("tty");
  const masterFd = openSync("/dev/ptmx", OPEN_FLAGS);
  let slaveFd = -1;
  try {
    const path = `/dev/pts/${unlockPty(masterFd)}`;
    slaveFd = openSync(path, OPEN_FLAGS);
    if (process.getuid?.() === 0) {
      fchownSync(slaveFd, options.uid, ttyGid ?? 0);
      fchmodSync(slaveFd, ttyGid === null ? 0o600 : 0o620);
    }
    setWindowSize(slaveFd, bounded(options.size));
    if (options.modes.length > 0) {
      writeTermios(slaveFd, withTerminalModes(readTermios(slaveFd), options.modes));
    }
    setNonBlocking(masterFd);
    return wrap(path, masterFd, slaveFd);
  } catch (cause) {
    closeSync(masterFd);
    if (slaveFd >= 0) closeSync(slaveFd);
    throw cause;
  }
}

function wrap(path: string, masterFd: number, slaveFd: number): Pty {
  const { reader, writer } = openBothWays(masterFd);
  let isSlaveOpen = true;
  let isOpen = true;
  const closeSlave = (): void => {
    if (isSlaveOpen) closeSync(slaveFd);
    isSlaveOpen = false;
  };
  return {
    path,
    slaveFd,
    output: reader,
    input: writer,
    resize(size) {
      if (isOpen) setWindowSize(masterFd, bounded(size));
    },
    modes: () => (isOpen ? inputModes(readTermios(masterFd)) : { echo: false, lines: false }),
    foreground() {
      const group = isOpen ? foregroundGroup(masterFd) : null;
      return group === null ? null : readLocalText(`/proc/${group}/comm`).trim() || null;
    },
    closeSlave,
    close() {
      isOpen = false;
      closeSlave();
      writer.close();
      reader.close();
    },
  };
}

function bounded({ cols, rows, width, height }: WindowSize): WindowSize {
  const clamp = (value: number): number => Math.max(0, Math.min(WINDOW_MAX, Math.trunc(value)));
  return { cols: clamp(cols), rows: clamp(rows), width: clamp(width), height: clamp(height) };
}
