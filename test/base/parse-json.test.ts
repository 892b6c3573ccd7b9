import { expect, test } from "bun:test";
import { parseJson } from "../../src/base/parse-json.ts";

test("parseJson answers with undefined for what is not JSON", () => {
  expect(parseJson('{"a":[1]}')).toEqual({ a: [1] });
  expect(parseJson("null")).toBeNull();
  for (const text of ["", "{", "undefined", '{"a":1}x']) expect(parseJson(text)).toBeUndefined();
});
