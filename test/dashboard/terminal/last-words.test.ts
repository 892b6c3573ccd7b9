import { expect, test } from "bun:test";
import { lastWords } from "../../../src/dashboard/terminal/last-words.ts";

const AT = new Date(2026, 10, 30, 12, 34, 56);

test("a screen ends with when and why, and with the way on where only the way was lost", () => {
  const [line = "", ...more] = lastWords({ message: "The way is gone", isLost: true }, AT).split("\n");
  expect([line.includes("2026"), line.includes("34:56"), line.endsWith(": The way is gone")]).toEqual([
    ...[true, true, true],
  ]);
  expect(more.length).toBe(1);
});

test("access that was taken away is not offered again by a key", () => {
  expect(lastWords({ message: "Gone", isLost: false }, AT).split("\n").length).toBe(1);
});
