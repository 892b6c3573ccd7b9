import { expect, test } from "bun:test";
import { KeyIndex } from "../../../src/policy/maps/key-index.ts";

test("a key has the values that were added, each once, until they are deleted", () => {
  const index = new KeyIndex<string>();
  index.add("a", "x");
  index.add("a", "y");
  index.add("a", "x");
  expect([...index.of("a")]).toEqual(["x", "y"]);
  index.delete("a", "x");
  expect([...index.of("a")]).toEqual(["y"]);
  index.delete("a", "y");
  expect(index.sets.has("a")).toBe(false);
});

test("a key without values has none, and nothing can be left there", () => {
  const index = new KeyIndex<string>();
  expect(index.of("a").size).toBe(0);
  expect(index.sets.size).toBe(0);
  index.delete("a", "x");
  index.add("b", "x");
  index.delete("b", "y");
  expect([...index.sets.keys()]).toEqual(["b"]);
});

test.each(["__proto__", "constructor", ""])("the key %j is one as any other", (key) => {
  const index = new KeyIndex<string>();
  expect(index.of(key).size).toBe(0);
  index.add(key, "x");
  expect([...index.of(key)]).toEqual(["x"]);
});
