import { expect, test } from "bun:test";
import { type KeptNote, keepNote } from "../../src/log/kept-notes.ts";

const MINUTE_MS = 60_000;

test("the newest is last, and few are kept of many, some of each age", () => {
  let kept: KeptNote[] = [];
  const end = 60 * 24 * 60;
  for (let minute = 0; minute <= end; minute += 10) {
    kept = keepNote(kept, { atMs: minute * MINUTE_MS, note: `${minute}` });
    expect(kept.length).toBeLessThanOrEqual(8);
  }
  expect(kept.at(-1)?.note).toBe(`${end}`);
  const ages = kept.map(({ atMs }) => end - atMs / MINUTE_MS);
  expect(ages.some((age) => age > 0 && age <= 60)).toBe(true);
  expect(ages.some((age) => age > 60 && age <= 2 * 1_440)).toBe(true);
  expect(ages.some((age) => age > 10_080)).toBe(true);
});

test("the first is kept as it is", () => {
  expect(keepNote([], { atMs: 5, note: "a" })).toEqual([{ atMs: 5, note: "a" }]);
});
