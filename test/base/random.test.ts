import { expect, test } from "bun:test";
import { isEqualSecret, newSecret, randomUpTo, sha256 } from "../../src/base/random.ts";

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
