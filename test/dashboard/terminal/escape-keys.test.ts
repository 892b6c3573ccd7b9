import { expect, test } from "bun:test";
import { EscapeKeys } from "../../../src/dashboard/terminal/escape-keys.ts";

test.each<[string, string[], (string | null)[]]>([
  ["at the beginning", ["~", "."], ["", null]],
  ["after Return", ["ls\r", "~", "."], ["ls\r", "", null]],
  ["in one piece", ["~."], [null]],
  ["in the middle of a line it is text", ["a", "~", "."], ["a", "~", "."]],
  ["twice it is one tilde", ["~", "~", "."], ["", "~", "."]],
  ["with another key it is both", ["~", "x"], ["", "~x"]],
  ["a path at the beginning", ["~/bin\r"], ["~/bin\r"]],
])("~. ends it: %s", (_what, typed, sent) => {
  const keys = new EscapeKeys();
  expect(typed.map((text) => keys.take(text))).toEqual(sent);
});
