import { expect, test } from "bun:test";
import { newId } from "../../src/base/new-id.ts";
import { Id } from "../../src/wire/units.ts";

test("ids are 20 characters of base 36, each another, and what the API takes", () => {
  const ids = Array.from({ length: 2_000 }, newId);
  expect(ids.every((id) => /^[0-9a-z]{20}$/.test(id) && Id.safeParse(id).success)).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
});

test("no character of an id is favoured", () => {
  const counts = new Map<string, number>();
  for (const char of Array.from({ length: 5_000 }, newId).join("")) {
    counts.set(char, (counts.get(char) ?? 0) + 1);
  }
  // 100,000 characters over 36: each 2,778 times, give or take; modulo bias alone would be 14 % more for
  // some.
  expect(counts.size).toBe(36);
  expect(Math.min(...counts.values())).toBeGreaterThan(2_400);
  expect(Math.max(...counts.values())).toBeLessThan(3_150);
});
