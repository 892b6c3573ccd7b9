import { expect, test } from "bun:test";
import fc from "fast-check";
import { asStored, canonicalJson } from "../../src/log/canonical-json.ts";

test("the example of RFC 8785 section 3.2.2 comes out as the RFC has it", () => {
  const value = JSON.parse(
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
      '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
  );
  expect(canonicalJson(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

test("names are sorted by UTF-16 code units (RFC 8785 section 3.2.3)", () => {
  const names = ["\u20ac", "\r", "\ufb33", "1", "\ud83d\ude00", "\u0080", "\u00f6"];
  const sorted = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"];
  const value = Object.fromEntries(names.map((name) => [name, 0]));
  expect(canonicalJson(value)).toBe(`{${sorted.map((name) => `${JSON.stringify(name)}:0`).join(",")}}`);
});

test.each([
  ["a lone surrogate", { a: "\ud800" }],
  ["a lone surrogate in a name", { "\udc00": 1 }],
  ["infinity", [Number.POSITIVE_INFINITY]],
  ["not a number", Number.NaN],
  ["a function", { a: () => 1 }],
])("%s has no canonical form", (_, value) => {
  expect(() => canonicalJson(value)).toThrow();
});

test("members that are undefined are left out, and minus zero is zero", () => {
  expect(canonicalJson({ b: undefined, a: -0 })).toBe('{"a":0}');
});

test("the form says the same, once it is read, and is the form of what was read", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const healed = asStored(value);
      const text = canonicalJson(healed);
      expect(canonicalJson(JSON.parse(text))).toBe(text);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(healed)));
    }),
  );
});

test("asStored heals strings and names, and nothing else", () => {
  expect<unknown>(
    asStored({ "a\ud800": ["\udfff", 1, null, true, undefined, Number.NaN], b: undefined }),
  ).toEqual({
    "a\ufffd": ["\ufffd", 1, null, true, null, null],
  });
});
