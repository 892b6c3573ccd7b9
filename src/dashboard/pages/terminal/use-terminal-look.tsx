/**
 * Terminal preferences, stored in this browser: text size, colours, copying, and whether a screen reader is
 * told what terminals show.
 *
 * @module
 */
import { useState } from "react";
import { keep, kept } from "../../browser/kept.ts";
import { type SchemeName, schemeNamed } from "../../terminal/colour-schemes.ts";

const FONT_KEY = "qf-terminal-font";
const SCHEME_KEY = "qf-terminal-scheme";
/** Keys of the switches. */
const SWITCHES = {
  ...{ isRead: "qf-terminal-reader", copyOnSelect: "qf-terminal-copy" },
  ctrlCopies: "qf-terminal-ctrl-c",
} as const;
const FONT = { least: 8, normal: 14, most: 24 };

/** Everything but the text size, which has its own keys. */
export interface TerminalHabits {
  readonly scheme: SchemeName;
  readonly isRead: boolean;
  readonly copyOnSelect: boolean;
  /** Whether Ctrl C copies a selection instead of going to the machine. */
  readonly ctrlCopies: boolean;
}

export interface TerminalLook extends TerminalHabits {
  readonly fontSize: number;
  /** Null resets it. */
  setFontSize(pixels: number | null): void;
  set(change: Partial<TerminalHabits>): void;
}

export function useTerminalLook(): TerminalLook {
  const [fontSize, setFontSize] = useState(() => withinFont(Number(kept(FONT_KEY)) || FONT.normal));
  const [habits, setHabits] = useState(keptHabits);
  return {
    ...habits,
    fontSize,
    setFontSize(pixels) {
      const within = withinFont(pixels ?? FONT.normal);
      setFontSize(within);
      keep(FONT_KEY, String(within));
    },
    set(change) {
      setHabits({ ...habits, ...change });
      if (change.scheme !== undefined) keep(SCHEME_KEY, change.scheme);
      for (const name of switchNames()) {
        const is = change[name];
        if (is !== undefined) keep(SWITCHES[name], is ? "on" : "off");
      }
    },
  };
}

function keptHabits(): TerminalHabits {
  const is = (name: keyof typeof SWITCHES): boolean => kept(SWITCHES[name]) === "on";
  return {
    scheme: schemeNamed(kept(SCHEME_KEY)),
    ...{ isRead: is("isRead"), copyOnSelect: is("copyOnSelect"), ctrlCopies: is("ctrlCopies") },
  };
}

function switchNames(): readonly (keyof typeof SWITCHES)[] {
  return ["isRead", "copyOnSelect", "ctrlCopies"];
}

function withinFont(pixels: number): number {
  return Math.min(FONT.most, Math.max(FONT.least, pixels));
}
