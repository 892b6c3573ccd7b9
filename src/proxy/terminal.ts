/**
 * The person behind a proxy. stdout is the SSH stream, and a wrapper (git, ansible, an editor) may have taken
 * stderr as well: then what asks for something goes to the terminal too.
 *
 * @module
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
import { platform } from "../base/platform/platform.ts";
import { printable } from "../base/printable.ts";
import { processTerminal, type Terminal } from "../client/terminal.ts";

const STDERR_FD = 2;

export const proxyTerminal: Terminal = {
  say(line) {
    processTerminal.say(line);
    if (!isStderrTerminal()) writeToTty(`${printable(line)}\n`);
  },
  canAsk: () => processTerminal.canAsk(),
  ask(prompt, signal) {
    if (!isStderrTerminal()) writeToTty(prompt);
    return processTerminal.ask(prompt, signal);
  },
};

/** Not by `process.stderr.isTTY`, which is what stderr was at the start (`caller-stderr.ts`). */
function isStderrTerminal(): boolean {
  return isatty(STDERR_FD);
}

function writeToTty(text: string): void {
  try {
    const fd = openSync(platform.terminal.output, "w");
    try {
      writeSync(fd, text);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Nobody sits at a terminal: stderr is all there is.
  }
}
