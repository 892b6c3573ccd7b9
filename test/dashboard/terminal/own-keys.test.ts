import { expect, test } from "bun:test";
import { type PressedKey, screenAction } from "../../../src/dashboard/terminal/own-keys.ts";

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
