/**
 * Keys that the terminal page handles itself: copy, text size, search, and leaving the terminal without a
 * pointer. All others go to the machine.
 *
 * @module
 */
export type ScreenAction = "copy" | "search" | "leave" | "larger" | "smaller" | "normal";

export interface PressedKey {
  /** `KeyboardEvent.key`: the key, whatever the layout. */
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

const SIZES: Readonly<Record<string, ScreenAction>> = {
  ...{ "+": "larger", "=": "larger", "-": "smaller", _: "smaller", "0": "normal" },
};
const WITH_SHIFT: Readonly<Record<string, ScreenAction>> = { c: "copy", f: "search" };

/**
 * The page's action for a key. Null: the key is the machine's. `isMac`: Cmd replaces Ctrl, except for
 * leaving.
 */
export function screenAction(pressed: PressedKey, isMac: boolean): ScreenAction | null {
  const { key, ctrlKey, shiftKey, altKey, metaKey } = pressed;
  if (altKey) return null;
  if (ctrlKey && !metaKey && !shiftKey && key === "F6") return "leave";
  if (isMac ? ctrlKey || !metaKey : metaKey || !ctrlKey) return null;
  if (!isMac && !shiftKey && key === "Insert") return "copy";
  return SIZES[key] ?? (shiftKey ? (WITH_SHIFT[key.toLowerCase()] ?? null) : null);
}

/** Whether a key is Ctrl C alone, which copies a selection if the user prefers that. Not on a Mac. */
export function isCtrlC({ key, ctrlKey, shiftKey, altKey, metaKey }: PressedKey, isMac: boolean): boolean {
  return !isMac && ctrlKey && !shiftKey && !altKey && !metaKey && key.toLowerCase() === "c";
}

/** Keys that browsers keep for their tabs and windows, to be sent from a menu. */
export const HELD_KEYS: readonly (readonly [name: string, sent: string])[] = [
  ["Ctrl W", "\u0017"],
  ["Ctrl T", "\u0014"],
  ["Ctrl N", "\u000e"],
  ["Ctrl Q", "\u0011"],
];

/** Help text for these keys. */
export const SCREEN_KEYS: readonly (readonly [keys: string, does: string])[] = [
  ["Ctrl Shift C, Ctrl Insert", "copy what is selected (Cmd C on a Mac)"],
  ["Ctrl Shift V, Shift Insert", "paste (Cmd V on a Mac)"],
  ["Ctrl C", "the machine's, unless Settings says that it copies a selection"],
  ["Ctrl +, Ctrl −, Ctrl 0", "larger, smaller and normal text"],
  ["Ctrl Shift F", "search what was shown"],
  ["Ctrl F6", "leave the terminal for the buttons above it; Tab goes on from there"],
  ["Enter, then ~.", "end the connection, as in ssh"],
  ["Shift and the pointer", "select where a program has the pointer"],
];
