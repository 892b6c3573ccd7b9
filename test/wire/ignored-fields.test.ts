import { expect, test } from "bun:test";
import { ignoredFields, misspeltRestriction } from "../../src/wire/ignored-fields.ts";

test.each<[unknown, unknown, string[]]>([
  [{ a: 1 }, { a: 1 }, []],
  [{ a: 1, b: 2 }, { a: 1 }, ["b"]],
  [{ a: { b: 1, c: { d: 1 } } }, { a: { c: {} } }, ["a.b", "a.c.d"]],
  [{ a: [{ x: 1 }, { x: 1, y: 2 }] }, { a: [{ x: 1 }, { x: 1 }] }, ["a[1].y"]],
  [{ "a\u001b[31m,b": 1 }, {}, ["a?[31m,b"]],
  [JSON.parse('{"__proto__":1,"constructor":2,"a":3}'), { a: 3 }, ["__proto__", "constructor"]],
  [{ a: "text" }, { a: { other: "shape" } }, []],
  [null, {}, []],
])("of %j, read as %j, %j is ignored", (input, read, ignored) => {
  expect(ignoredFields(input, read)).toEqual(ignored);
});

test("what was read as it is, is not looked through", () => {
  const deep = { kept: {} };
  expect(ignoredFields({ query: deep, x: 1 }, { query: deep })).toEqual(["x"]);
});

test("a body of nothing but unknown fields is told in part", () => {
  const fields = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`field${i}`, i]));
  expect(ignoredFields(fields, {})).toHaveLength(16);
});

test.each([
  ["scopes", "scope"],
  ["scop", "scope"],
  ["pending_aproval", "pending_approval"],
  ["settings.requires", "require"],
  ["settings.max_stale_second", "max_stale_seconds"],
  ["settings.extra.peer_aproval_enabled", "peer_approval_enabled"],
])("%s is a misspelling of %s", (written, meant) => {
  expect(misspeltRestriction(["colour", written])).toEqual({ written, meant });
});

test.each(["id", "name", "type", "revoked", "peerId", "status", "permissions", "is_current", "domain"])(
  "%s, which NetBird's clients send along, is none",
  (field) => {
    expect(misspeltRestriction([field])).toBeUndefined();
  },
);
