/**
 * Talking to the person at the terminal while stdin and stdout belong to something else: prompts go to
 * stderr, answers come from /dev/tty. So a login survives pipes, scp, git and ansible.
 *
 * @module
 */
import { closeSync, openSync } from "node:fs";
import { ReadStream } from "node:tty";
import { QfError } from "../base/errors.ts";

/** Longest answer taken. */
const ANSWER_LENGTH_MAX = 256;

export interface Terminal {
  /** A line for the person; never a secret. */
  say(line: string): void;
  /** Whether `ask` can work at all. */
  canAsk(): boolean;
  /** One line typed in answer to `prompt`. Throws ERR_LOGIN_FAILED at its end, or what `signal` says. */
  ask(prompt: string, signal: AbortSignal): Promise<string>;
}

/** The terminal this process was started from. */
export const processTerminal: Terminal = {
  say: (line) => {
    process.stderr.write(`${line}\n`);
  },
  canAsk() {
    try {
      closeSync(openSync("/dev/tty", "r+"));
      return true;
    } catch {
      return false;
    }
  },
  ask: askTty,
};

async function askTty(prompt: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const tty = new ReadStream(openSync("/dev/tty", "r+"));
  process.stderr.write(prompt);
  let typed = "";
  try {
    return await new Promise<string>((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      tty.on("data", (chunk: Buffer) => {
        typed += chunk.toString("utf8");
        const end = typed.search(/[\r\n]/);
        if (end === -1 && typed.length <= ANSWER_LENGTH_MAX) return;
        signal.removeEventListener("abort", onAbort);
        resolve((end === -1 ? typed : typed.slice(0, end)).trim());
      });
      const onEnd = () =>
        reject(new QfError("ERR_LOGIN_FAILED", "the terminal closed before the code was typed"));
      tty.on("end", onEnd).on("error", onEnd);
    });
  } finally {
    tty.destroy();
  }
}
