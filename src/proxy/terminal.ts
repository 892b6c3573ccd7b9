/**
 * The person behind a proxy: stdout is the SSH stream, and a wrapper (git, ansible, an editor) may have
 * taken stderr as well. What asks for something goes to the terminal too then.
 *
 * @module
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { printable } from "../base/printable.ts";
import { processTerminal, type Terminal } from "../client/terminal.ts";

export const proxyTerminal: Terminal = {
  say(line) {
    processTerminal.say(line);
    if (!process.stderr.isTTY) writeToTty(`${printable(line)}\n`);
  },
  canAsk: () => processTerminal.canAsk(),
  ask(prompt, signal) {
    if (!process.stderr.isTTY) writeToTty(prompt);
    return processTerminal.ask(prompt, signal);
  },
};

function writeToTty(text: string): void {
  try {
    const fd = openSync("/dev/tty", "w");
    try {
      writeSync(fd, text);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Nobody sits at a terminal: stderr is all there is.
  }
}
