/**
 * In a terminal's page, for `make bench`: xterm.js by itself on the same bytes, and the page's SSH client
 * with commands that nothing draws. `terminal.ts` puts it there.
 */
import type { Bytes } from "../../src/browser-ssh/bytes.ts";
import type { SshConnection } from "../../src/browser-ssh/connection.ts";
import { startSession } from "../../src/browser-ssh/session.ts";
import { reachMachine } from "../../src/dashboard/terminal/machine-way.ts";
import { openTerminal } from "../../src/dashboard/terminal/screen.ts";
import {
  beginLogin,
  claimLogin,
  type PendingLogin,
  registerBrowser,
} from "../../src/dashboard/terminal/terminal-login.ts";

/** Written but not drawn yet, as the window of a channel allows. */
const AHEAD_BYTES = 2 * 1024 * 1024;
const LINE = `${"x".repeat(100)}\r\n`;
const FONT_PX = 14;
const INPUT_BYTES = 256 * 1024;

let pending: PendingLogin | undefined;
let connection: SshConnection | undefined;

export const script = {
  /** Milliseconds in which xterm.js alone draws so many bytes of lines, given in pieces of `pieceBytes`. */
  async draw(bytes: number, pieceBytes: number): Promise<number> {
    const element = document.createElement("div");
    const shown = document.querySelector("[data-terminal]")?.getBoundingClientRect();
    const place = (["left", "top", "width", "height"] as const).map((name) => `${name}:${shown?.[name]}px`);
    element.style.cssText = ["position:fixed", "z-index:99", ...place].join(";");
    document.body.append(element);
    const { terminal, fit } = openTerminal(element, FONT_PX, () => {});
    fit.fit();
    const text = new TextEncoder().encode(LINE.repeat(Math.ceil(bytes / LINE.length)));
    const fromMs = performance.now();
    await new Promise<void>((resolve) => {
      let [at, drawn] = [0, 0];
      const more = (): void => {
        while (at < bytes && at - drawn < AHEAD_BYTES) {
          const piece = text.subarray(at, Math.min(bytes, at + pieceBytes));
          at += piece.length;
          terminal.write(piece, () => {
            drawn += piece.length;
            if (drawn === bytes) resolve();
            else more();
          });
        }
      };
      more();
    });
    await new Promise(requestAnimationFrame);
    const spentMs = performance.now() - fromMs;
    terminal.dispose();
    element.remove();
    return spentMs;
  },

  /** Where a person signs in for `connect`. */
  async begin(target: string, localUser: string): Promise<string> {
    pending = await beginLogin(target, localUser);
    return pending.hosted.url;
  },

  async connect(code: string, wanted: { target: string; localUser: string }): Promise<void> {
    if (pending === undefined) throw new Error("no sign-in was begun");
    const outcome = await claimLogin(pending, { code });
    if (outcome === null || !("proof" in outcome)) throw new Error("the sign-in gave no proof");
    const me = (await (await fetch("/api/users/current", { headers: { "x-qf-dashboard": "1" } })).json()) as {
      id: string;
    };
    const login = await registerBrowser(pending, outcome.proof, me.id);
    ({ connection } = await reachMachine(login, { ...wanted, reason: null }, () => {}));
  },

  /** Milliseconds of a command that is sent `input` bytes and prints `output`, which nothing draws. */
  async command(command: string, { input = 0, output = 0, terminal = false }): Promise<number> {
    if (connection === undefined) throw new Error("there is no connection");
    let got = 0;
    const fromMs = performance.now();
    const session = await startSession(connection, {
      ...{ terminal: terminal ? { columns: 120, rows: 40 } : null, run: { command } },
      onData(bytes, _isError, used) {
        got += bytes.length;
        used();
      },
    });
    const piece: Bytes = new Uint8Array(INPUT_BYTES);
    for (let at = 0; at < input; at += piece.length) {
      await session.write(piece.subarray(0, Math.min(piece.length, input - at)));
    }
    session.eof();
    const { status } = await session.ended;
    if (status !== 0 || got !== output) throw new Error(`${command}: status ${status}, ${got} bytes`);
    return performance.now() - fromMs;
  },
};

Object.assign(globalThis, { bench: script });
