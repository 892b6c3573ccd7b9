/**
 * A read-only screen for watching a session: xterm.js without a keyboard. Loaded when a session is watched.
 *
 * @module
 */
import { Terminal } from "@xterm/xterm";
import { giveStylesNonce } from "../terminal/nonced-styles.ts";
import { type CastEvent, type CastSize, resizedTo } from "./cast.ts";

export interface WatchScreen {
  show(events: readonly CastEvent[]): void;
  resize(size: CastSize): void;
  close(): void;
}

const SCROLLBACK_LINES = 2_000;
const FONT_PX = 13;

/**
 * Opens a screen. Its text has been filtered already (`cast.ts`). Links, titles and answers to queries are
 * off as well.
 */
export function openWatchScreen(element: HTMLElement): WatchScreen {
  giveStylesNonce();
  const style = getComputedStyle(element);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  const terminal = new Terminal({
    ...{ fontSize: FONT_PX, scrollback: SCROLLBACK_LINES, cursorBlink: false, disableStdin: true },
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--font-mono") || "monospace",
    theme: { background: value("--sunken"), foreground: value("--ink"), cursor: value("--accent") },
    linkHandler: { activate: () => undefined },
    minimumContrastRatio: 4.5,
  });
  terminal.open(element);
  terminal.textarea?.setAttribute("aria-label", "Screen of the session");
  terminal.textarea?.setAttribute("readonly", "");
  return {
    show(events) {
      for (const [, code, text] of events) {
        if (code === "o") terminal.write(text);
        const size = code === "r" ? resizedTo(text) : null;
        if (size !== null) terminal.resize(size.columns, size.rows);
      }
    },
    resize: ({ columns, rows }) => terminal.resize(columns, rows),
    close: () => terminal.dispose(),
  };
}
