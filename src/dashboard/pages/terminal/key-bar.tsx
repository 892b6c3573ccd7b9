/**
 * Keys that phones do not have: Esc, Tab, Ctrl with a letter, arrows. Shown where the finger is what points.
 *
 * @module
 */
import { useState } from "react";
import { Button } from "../../components/button.tsx";

const KEYS: readonly (readonly [label: string, name: string, sent: string])[] = [
  ["Esc", "Escape", "\u001b"],
  ["Tab", "Tab", "\t"],
  ["←", "Left", "\u001b[D"],
  ["↑", "Up", "\u001b[A"],
  ["↓", "Down", "\u001b[B"],
  ["→", "Right", "\u001b[C"],
];
const LETTERS = ["C", "D", "Z", "L", "R", "A", "E", "U", "W", "X", "O"] as const;

/** Ctrl and a letter, as the machine hears it. */
export function controlKey(letter: string): string {
  return String.fromCharCode(letter.charCodeAt(0) & 0x1f);
}

export function KeyBar({ onKey }: { onKey(text: string): void }) {
  const [isCtrl, setIsCtrl] = useState(false);
  return (
    <div
      role="toolbar"
      aria-label="Keys"
      className="hidden gap-1 overflow-x-auto pb-1 pointer-coarse:flex max-sm:flex"
    >
      <Button size="small" aria-pressed={isCtrl} onClick={() => setIsCtrl((is) => !is)}>
        Ctrl
      </Button>
      {isCtrl
        ? LETTERS.map((letter) => (
            <Button
              key={letter}
              size="small"
              aria-label={`Control ${letter}`}
              onClick={() => {
                setIsCtrl(false);
                onKey(controlKey(letter));
              }}
            >
              {letter}
            </Button>
          ))
        : KEYS.map(([label, name, sent]) => (
            <Button key={name} size="small" aria-label={name} onClick={() => onKey(sent)}>
              {label}
            </Button>
          ))}
    </div>
  );
}
