/** Suggestions for mistyped words. */
import { expect, test } from "bun:test";
import { closest } from "../../src/cli/closest.ts";

test.each([
  ["lgoin", ["login", "logout", "audit"], "login"],
  ["polcy", ["peer", "policy"], "policy"],
  ["login_second", ["login_confirmation", "login_seconds_max"], "login_seconds_max"],
  ["up", ["up", "down"], "up"],
  ["frobnicate", ["login", "policy"], undefined],
  ["", ["login"], undefined],
  ["x", [], undefined],
])("closest to %j of %j is %j", (word, candidates, want) => {
  expect<string | undefined>(closest(word, candidates)).toBe(want);
});
