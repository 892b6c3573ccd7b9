/**
 * Password input: typed without echo, or the first line of standard input.
 *
 * @module
 */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { QfError } from "../base/errors.ts";
import { platform } from "../base/platform/platform.ts";
import { requireSystem } from "../base/require-system.ts";

const PASSWORD_BYTES_MAX = 4_096;

/** The first line of stdin, without its line break. `example`: a command that pipes one. Throws ERR_USAGE. */
export async function passwordFromStdin(example: string): Promise<string> {
  const [password] = await linesFromStdin(1, example);
  return password ?? "";
}

/** The first `count` lines of stdin. Missing ones are empty. */
export async function linesFromStdin<N extends 1 | 2>(
  count: N,
  example: string,
): Promise<N extends 1 ? [string] : [string, string]>;
export async function linesFromStdin(count: number, example: string): Promise<string[]> {
  if (process.stdin.isTTY) {
    throw new QfError("ERR_USAGE", "the password is read from a file or a pipe, not from a terminal", {
      hint: `for instance: ${example} < password.txt`,
    });
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(Buffer.from(chunk as Uint8Array));
    bytes += chunks.at(-1)?.length ?? 0;
    if (bytes > PASSWORD_BYTES_MAX)
      throw new QfError("ERR_USAGE", "the password on standard input is too long");
  }
  const lines = Buffer.concat(chunks).toString("utf8").split("\n");
  return Array.from({ length: count }, (_, i) => (lines[i] ?? "").replace(/\r$/, ""));
}

/**
 * Reads one line from the terminal without echo, even if stdin or stdout is redirected. Throws ERR_USAGE when
 * there is no terminal.
 */
export function askPassword(prompt: string): string {
  let tty: number;
  // Do not ask where the echo cannot be turned off.
  requireSystem(platform.termios !== null, "asking for a password unseen", "use --password-stdin");
  try {
    tty = openSync(platform.terminal.input, "r+");
  } catch (cause) {
    throw new QfError("ERR_USAGE", "there is no terminal to type a password at", {
      cause,
      hint: "give both with --password-stdin: the current one, and the new one on the next line",
    });
  }
  const echo = (on: boolean): void => {
    Bun.spawnSync(["stty", on ? "echo" : "-echo"], { stdin: tty, stdout: "ignore", stderr: "ignore" });
  };
  const bytes: number[] = [];
  try {
    echo(false);
    writeSync(tty, prompt);
    const byte = Buffer.alloc(1);
    while (readSync(tty, byte) === 1 && byte[0] !== 0x0a) {
      bytes.push(byte[0] ?? 0);
      if (bytes.length > PASSWORD_BYTES_MAX) throw new QfError("ERR_USAGE", "that password is too long");
    }
    writeSync(tty, "\n");
  } finally {
    echo(true);
    closeSync(tty);
  }
  return Buffer.from(bytes).toString("utf8").replace(/\r$/, "");
}
