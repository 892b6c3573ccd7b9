/**
 * Keys that phones lack: Esc, Tab, Ctrl, arrows. Shown on touch screens and in narrow windows.
 *
 * @module
 */
import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp, type LucideIcon } from "lucide-react";
import { Button } from "../../components/button.tsx";

const KEYS: readonly (readonly [name: string, sent: string, icon: LucideIcon | null])[] = [
  ["Esc", "\u001b", null],
  ["Tab", "\t", null],
  ["Left", "\u001b[D", ArrowLeft],
  ["Up", "\u001b[A", ArrowUp],
  ["Down", "\u001b[B", ArrowDown],
  ["Right", "\u001b[C", ArrowRight],
];
/** The usual letters. Any other can be typed while Ctrl is down. */
const LETTERS = ["C", "D", "Z", "L", "R", "A", "E", "U", "W", "X", "O"] as const;

interface KeyBarProps {
  /** Whether Ctrl applies to the next key, on this bar or typed. */
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
        : KEYS.map(([name, sent, Icon]) => (
            <Button
              key={name}
              size="small"
              aria-label={Icon === null ? undefined : name}
              onClick={() => onKey(sent)}
            >
              {Icon === null ? name : <Icon size={16} aria-hidden="true" />}
            </Button>
          ))}
    </div>
  );
}
