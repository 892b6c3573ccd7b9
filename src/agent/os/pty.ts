/**
 * A pseudo-terminal. The master is read and written with back-pressure; the slave is owned by the user and
 * given to one child.
 *
 * Bun's `terminal` option cannot pause output, so a fast program and a slow reader would fill the agent's
 * memory. Hence plain file descriptors.
 *
 * @module
 */
import { closeSync, constants, fchmodSync, fchownSync, openSync } from "node:fs";
import { inputModes, type TerminalMode, withTerminalModes } from "../../sshcore/terminal-modes.ts";
import { createGatheringReader } from "./gathering-reader.ts";
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
  /** Pixels. 0: unknown. */
  readonly width: number;
  readonly height: number;
}

export interface Pty {
  /** `/dev/pts/N`, for SSH_TTY. */
  readonly path: string;
  /** The child's stdin, stdout and stderr. Close it here once the child has it. */
  readonly slaveFd: number;
  /** Terminal output. */
  readonly output: FdReader;
  /** Keyboard input. */
  readonly input: FdWriter;
  resize(size: WindowSize): void;
  /** How input is processed now. While the pty is closed, echo is off. */
  modes(): { readonly echo: boolean; readonly lines: boolean };
  /** Name of the foreground program. Null: unknown. */
  foreground(): string | null;
  closeSlave(): void;
  /** Closes the master, so that the kernel hangs up the session. */
  close(): void;
}

/** tty sizes have 16 bits. Larger values are a mistake. */
const WINDOW_MAX = 0xffff;
const OPEN_FLAGS = constants.O_RDWR | constants.O_NOCTTY | 0o2000000; // O_CLOEXEC

/** Opens a terminal owned by `uid` and group tty, mode 0620, like login(1). Throws when none is available. */
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
    output: createGatheringReader(reader),
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
