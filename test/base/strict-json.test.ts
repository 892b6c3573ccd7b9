import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseStrictJsonObject } from "../../src/base/strict-json.ts";

test.each([
  ["an equal name", '{"a":1,"a":1}'],
  ["a name equal once decoded", '{"sub":1,"\\u0073ub":2}'],
  ["an equal name further in", '{"x":[{"a":1,"b":{"c":1,"c":2}}]}'],
  ["an equal name after an array", '{"a":[1,2],"a":3}'],
  ["an equal name after a string with brackets", '{"a":"}{][,\\"","a":3}'],
  ["__proto__ twice", '{"__proto__":1,"__proto__":2}'],
  ["an array", "[]"],
  ["a string", '"a"'],
  ["null", "null"],
  ["nothing", ""],
  ["text after the end", "{}{}"],
  ["a byte order mark", "\ufeff{}"],
  ["a comment", "{/**/}"],
  ["a depth of 17", `${'{"a":'.repeat(17)}1${"}".repeat(17)}`],
])("parseStrictJsonObject refuses %s", (_, text) => {
  expect(parseStrictJsonObject(text)).toBeUndefined();
  expect(parseStrictJsonObject(Buffer.from(text))).toBeUndefined();
});

test("parseStrictJsonObject refuses bytes that are not UTF-8", () => {
  expect(parseStrictJsonObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toBeUndefined();
});

test.each([
  ["equal names in different objects", '{"a":{"b":1},"c":{"b":1},"d":[{"b":1},{"b":2}]}'],
  ["a value equal to a name", '{"a":"a","b":["a","a"]}'],
  ["escaped quotes and backslashes", '{"a\\"":"\\\\","a\\\\":"\\""}'],
  ["white space", ' {\n"a" : [ ] , "b" : { } } '],
])("parseStrictJsonObject takes %s", (_, text) => {
  expect(parseStrictJsonObject(text)).toEqual(JSON.parse(text));
});

test("parseStrictJsonObject agrees with JSON.parse on whatever JSON.stringify writes", () => {
  const object = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 6 }));
  fc.assert(
    fc.property(object, (value) => {
      const text = JSON.stringify(value);
      expect(parseStrictJsonObject(text)).toEqual(JSON.parse(text));
    }),
  );
});
