/**
 * Keys that phones do not have: Esc, Tab, Ctrl, arrows. Shown where the finger is what points.
 *
 * @module
 */
import { Button } from "../../components/button.tsx";

const KEYS: readonly (readonly [label: string, name: string, sent: string])[] = [
  ["Esc", "Escape", "\u001b"],
  ["Tab", "Tab", "\t"],
  ["←", "Left", "\u001b[D"],
  ["↑", "Up", "\u001b[A"],
  ["↓", "Down", "\u001b[B"],
  ["→", "Right", "\u001b[C"],
];
/** The usual ones; any other is typed while Ctrl is down. */
const LETTERS = ["C", "D", "Z", "L", "R", "A", "E", "U", "W", "X", "O"] as const;

interface KeyBarProps {
  /** Ctrl is down for the next key, here or typed. */
  readonly isCtrl: boolean;
  setIsCtrl(is: boolean): void;
  onKey(text: string): void;
}

export function KeyBar({ isCtrl, setIsCtrl, onKey }: KeyBarProps) {
  return (
    <div
      role="toolbar"
      aria-label="Keys"
      className="hidden gap-1 overflow-x-auto pb-1 pointer-coarse:flex max-sm:flex"
    >
      <Button size="small" aria-pressed={isCtrl} onClick={() => setIsCtrl(!isCtrl)}>
        Ctrl
      </Button>
      {isCtrl
        ? LETTERS.map((letter) => (
            <Button
              key={letter}
              size="small"
              aria-label={`Control ${letter}`}
              onClick={() => onKey(letter.toLowerCase())}
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
