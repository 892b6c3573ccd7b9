import { expect, test } from "bun:test";
import { isEqualSecret, newId, newSecret, randomUpTo, sha256 } from "../../src/base/random.ts";
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

test("a secret begins with its prefix and holds 32 bytes, each time others", () => {
  const secret = newSecret("qfp_");
  expect(secret).toMatch(/^qfp_[A-Za-z0-9_-]{43}$/);
  expect(newSecret("qfp_")).not.toBe(secret);
});

test.each([
  [0, [0]],
  [0.9, [0]],
  [1, [0, 1]],
  [3, [0, 1, 2, 3]],
])("randomUpTo(%d) gives %j and nothing else", (max, wanted) => {
  const seen = new Set(Array.from({ length: 400 }, () => randomUpTo(max)));
  expect([...seen].sort()).toEqual(wanted);
});

test.each([
  ["", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"],
  ["abc", "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"],
])("sha256 of %j is that of FIPS 180-4, in base64url", (data, wanted) => {
  expect(sha256(data)).toBe(wanted);
  expect(sha256(Buffer.from(data))).toBe(wanted);
});

test.each([
  ["a", "a", true],
  ["", "", true],
  ["a", "b", false],
  ["a", "aa", false],
  ["a", "", false],
  ["ä", "a\u0308", false],
])("isEqualSecret of %j and %j is %p", (a, b, wanted) => {
  expect(isEqualSecret(a, b)).toBe(wanted);
});
