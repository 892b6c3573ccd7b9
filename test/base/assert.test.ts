import { expect, test } from "bun:test";
import { AssertionError, assert, unreachable } from "../../src/base/assert.ts";

test.each([true, 1, "text", {}])("assert takes %p for true", (condition) => {
  expect(() => assert(condition, "it holds")).not.toThrow();
});

test.each([false, 0, "", null, undefined])("assert throws a bug of ours for %p", (condition) => {
  expect(() => assert(condition, "it holds")).toThrow(AssertionError);
  expect(() => assert(condition, "it holds")).toThrow("it holds");
});

test("unreachable throws, and names the value that no case handled", () => {
  expect(() => unreachable("surprise" as never)).toThrow(AssertionError);
  expect(() => unreachable("surprise" as never)).toThrow("unreachable: surprise");
});
