/** Names that would be taken for one another. */
import { expect, test } from "bun:test";
import { nameKey } from "../../src/wire/name-key.ts";

test.each([
  ["Developers", "developers"],
  ["Prod  EU", "prod eu"],
  ["Prod\u00a0EU", "prod eu"],
  ["ＰＲＯＤ", "prod"],
  ["Straße", "STRASSE"],
  ["ΛΟΓΟΣ", "λόγος".normalize("NFD").replace(/\p{M}/gu, "")],
  ["web\u200b", "web"],
  ["\u202eweb", "web"],
  ["ad\u00admin", "admin"],
  ["ﬁnance", "finance"],
])("%j and %j are taken for one another", (one, other) => {
  expect(nameKey(one)).toBe(nameKey(other));
});

test.each([
  ["web", "web1"],
  ["Büro", "Buro"],
  ["a b", "ab"],
])("%j and %j are not", (one, other) => {
  expect(nameKey(one)).not.toBe(nameKey(other));
});
