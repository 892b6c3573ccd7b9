import { expect, test } from "bun:test";
import { RekeyTurns } from "../../src/browser-ssh/rekey-turns.ts";

test("keys are due for exchange after so many bytes or so long, and then anew", () => {
  let now = 0;
  const turns = new RekeyTurns({ bytes: 100, ms: 1_000 }, () => now);
  turns.count(99);
  expect(turns.isDue).toBe(false);
  turns.count(1);
  expect(turns.isDue).toBe(true);
  turns.finished();
  expect(turns.isDue).toBe(false);
  now = 1_000;
  expect(turns.isDue).toBe(true);
});

test("a storm of the other end is one within a minute", () => {
  let now = 0;
  const turns = new RekeyTurns({ theirsPerMinute: 2 }, () => now);
  turns.begunByThem();
  turns.begunByThem();
  expect(() => turns.begunByThem()).toThrow();
  now = 60_000;
  turns.begunByThem();
});
