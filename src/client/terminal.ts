/**
 * The terminal dialogue while stdin and stdout are in use: prompts go to stderr, answers come from the
 * terminal itself. So a login works under pipes, scp, git and ansible.
 *
 * @module
 */
import { closeSync, openSync, read } from "node:fs";
import { promisify } from "node:util";
import { QfError } from "../base/errors.ts";
import { platform } from "../base/platform/platform.ts";
import { printable } from "../base/printable.ts";

/** Longest answer read, in bytes: what a terminal buffers of one line, so that nothing is left over. */
const ANSWER_LENGTH_MAX = 4_096;

const readFrom = promisify(read);

export interface Terminal {
  /** A line for the person; never a secret. */
  say(line: string): void;
  /** Whether `ask` can work at all. */
  canAsk(): boolean;
  /** Reads one line in answer to `prompt`. Throws ERR_LOGIN_FAILED at end of file, or `signal`'s reason. */
  ask(prompt: string, signal: AbortSignal): Promise<string>;
}

/** The terminal this process was started from. */
export const processTerminal: Terminal = {
  say: (line) => {
    process.stderr.write(`${printable(line)}\n`);
  },
  canAsk() {
    try {
      closeSync(openSync(platform.terminal.input, "r+"));
      return true;
    } catch {
      return false;
    }
  },
  ask: askTty,
};

/**
 * Reads once at a time and never after the answer: a pending read cannot be cancelled, and would swallow what
 * is typed next into the session.
 */
async function askTty(prompt: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const tty = openSync(platform.terminal.input, "r+");
  process.stderr.write(prompt);
  const line = readLine(tty);
  line.then(
    () => closeSync(tty),
    () => closeSync(tty),
  );
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => {
    process.stderr.write("\n");
    aborted.reject(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([line, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function readLine(tty: number): Promise<string> {
  const buffer = Buffer.alloc(ANSWER_LENGTH_MAX);
  let typed = "";
  while (!/[\r\n]/.test(typed) && typed.length < ANSWER_LENGTH_MAX) {
    const { bytesRead } = await readFrom(tty, { buffer });
    if (bytesRead === 0) throw new QfError("ERR_LOGIN_FAILED", "the terminal closed before it was answered");
    typed += buffer.toString("utf8", 0, bytesRead);
  }
  return (typed.split(/[\r\n]/)[0] ?? "").trim();
}
