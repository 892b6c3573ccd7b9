/**
 * Terminal preferences, stored in this browser: the text size, and whether a screen reader is told what
 * terminals show.
 *
 * @module
 */
import { useState } from "react";

const FONT_KEY = "qf-terminal-font";
const READER_KEY = "qf-terminal-reader";
const FONT = { least: 8, normal: 14, most: 24 };

export interface TerminalLook {
  readonly fontSize: number;
  /** Null resets it. */
  setFontSize(pixels: number | null): void;
  readonly isRead: boolean;
  setIsRead(is: boolean): void;
}

export function useTerminalLook(): TerminalLook {
  const [fontSize, setFontSize] = useState(() => withinFont(Number(kept(FONT_KEY)) || FONT.normal));
  const [isRead, setIsRead] = useState(() => kept(READER_KEY) === "on");
  return {
    fontSize,
    setFontSize(pixels) {
      const within = withinFont(pixels ?? FONT.normal);
      setFontSize(within);
      keep(FONT_KEY, String(within));
    },
    isRead,
    setIsRead(is) {
      setIsRead(is);
      keep(READER_KEY, is ? "on" : "off");
    },
  };
}

function withinFont(pixels: number): number {
  return Math.min(FONT.most, Math.max(FONT.least, pixels));
}

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice then lasts for this visit only.
  }
}
