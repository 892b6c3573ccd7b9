import { expect, test } from "bun:test";
import {
  HELD_KEYS,
  isCtrlC,
  type PressedKey,
  screenAction,
} from "../../../src/dashboard/terminal/own-keys.ts";

/** `ctrl-shift-c` as a browser reports it. */
function pressed(keys: string): PressedKey {
  const [key = "", ...held] = keys.split(" ").toReversed();
  const is = (name: string): boolean => held.includes(name);
  return { key, ctrlKey: is("ctrl"), shiftKey: is("shift"), altKey: is("alt"), metaKey: is("meta") };
}

test.each([
  ["ctrl shift C", "copy"],
  ["ctrl Insert", "copy"],
  ["ctrl shift F", "search"],
  ["ctrl F6", "leave"],
  ["ctrl +", "larger"],
  ["ctrl shift +", "larger"],
  ["ctrl =", "larger"],
  ["ctrl -", "smaller"],
  ["ctrl 0", "normal"],
  // The machine's.
  ["ctrl c", null],
  ["ctrl shift V", null],
  ["ctrl shift A", null],
  ["shift Insert", null],
  ["F6", null],
  ["ctrl shift F6", null],
  ["alt ctrl +", null],
  ["meta c", null],
  ["+", null],
  ["0", null],
])("%s is kept for %s", (keys, action) => {
  expect(screenAction(pressed(keys), false)).toBe(action as never);
});

test.each([
  ["meta shift C", "copy"],
  ["meta =", "larger"],
  ["meta 0", "normal"],
  ["ctrl F6", "leave"],
  ["ctrl -", null],
  ["ctrl shift C", null],
  ["meta c", null],
])("on a Mac %s is kept for %s", (keys, action) => {
  expect(screenAction(pressed(keys), true)).toBe(action as never);
});

test.each([
  ["ctrl c", false, true],
  ["ctrl C", false, true],
  ["ctrl shift C", false, false],
  ["alt ctrl c", false, false],
  ["meta c", false, false],
  ["ctrl x", false, false],
  ["c", false, false],
  // Cmd C is the browser's own there.
  ["ctrl c", true, false],
])("%s, on a Mac %p, may copy a selection: %p", (keys, isMac, may) => {
  expect(isCtrlC(pressed(keys), isMac)).toBe(may);
});

test("keys that browsers hold are sent as the control characters of their letters", () => {
  for (const [name, sent] of HELD_KEYS) {
    expect(String.fromCharCode(sent.charCodeAt(0) + 64)).toBe(name.slice(-1));
  }
});
