/**
 * Raw mode of this process's terminal, restored on every exit path.
 *
 * @module
 */
import { encodeTerminalModes } from "../sshcore/terminal-modes.ts";
import { disableOutputProcessing, readTermios } from "./termios.ts";

export interface TerminalSize {
  readonly rows: number;
  readonly cols: number;
}

/** Size when the terminal does not report one. */
const SIZE_DEFAULT: TerminalSize = { rows: 24, cols: 80 };

export function terminalSize(): TerminalSize {
  const { rows, columns } = process.stdout.isTTY ? process.stdout : process.stderr;
  return rows && columns ? { rows, cols: columns } : SIZE_DEFAULT;
}

/** Modes of stdin's terminal, encoded for a pty-req (RFC 4254 section 8). Null when it is not a terminal. */
export function terminalModes(): Buffer | null {
  const { stdin } = process;
  const termios = stdin.isTTY ? readTermios(stdin.fd) : null;
  return termios === null ? null : encodeTerminalModes(termios);
}

/**
 * Puts stdin into raw mode. The returned function restores it and may be called repeatedly. Any process exit
 * but SIGKILL restores it too.
 */
export function enterRawMode(): () => void {
  const { stdin } = process;
  let isRaw = true;
  stdin.setRawMode(true);
  disableOutputProcessing(stdin.fd);
  const restore = () => {
    if (!isRaw) return;
    isRaw = false;
    process.off("exit", restore);
    stdin.setRawMode(false);
  };
  process.on("exit", restore);
  return restore;
}

/** Calls `onSize` whenever the terminal changes its size, until the returned function is called. */
export function watchSize(onSize: (size: TerminalSize) => void): () => void {
  const tell = () => onSize(terminalSize());
  process.on("SIGWINCH", tell);
  return () => void process.off("SIGWINCH", tell);
}
