import { expect, test } from "bun:test";
import fc from "fast-check";
import { signedBytes } from "../../src/wire/signed-fields.ts";

const scope = { accountId: "acc", origin: "https://qf.example.com" };
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

test("the bytes are the purpose, then account, origin and fields, each name and value with its length", () => {
  const string = (value: string): string => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(value));
    return length.toString("latin1") + Buffer.from(value).toString("latin1");
  };
  const wanted = ["account", "acc", "origin", "https://qf.example.com", "name", "grün", "time", "12"].map(
    string,
  );
  expect(text(signedBytes("hello", scope, { name: "grün", time: 12 }))).toBe(
    `qufabric/hello/v1\0${wanted.join("")}`,
  );
});

test.each([
  ["another purpose", signedBytes("relay", scope, { a: "b" })],
  ["another account", signedBytes("hello", { ...scope, accountId: "acd" }, { a: "b" })],
  ["another origin", signedBytes("hello", { ...scope, origin: "https://qf.example.org" }, { a: "b" })],
  ["another value", signedBytes("hello", scope, { a: "c" })],
  ["another name", signedBytes("hello", scope, { b: "b" })],
  ["one field more", signedBytes("hello", scope, { a: "b", c: "" })],
])("with %s the bytes are others", (_, bytes) => {
  expect(text(bytes)).not.toBe(text(signedBytes("hello", scope, { a: "b" })));
});

test("the order of fields counts", () => {
  expect(text(signedBytes("hello", scope, { a: "1", b: "2" }))).not.toBe(
    text(signedBytes("hello", scope, { b: "2", a: "1" })),
  );
});

test("no two lists of values have the same bytes, wherever the text is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 4 }), fc.array(fc.string(), { maxLength: 4 }), (a, b) => {
      const bytesOf = (values: readonly string[]): string =>
        text(signedBytes("mint", scope, Object.fromEntries(values.map((value, i) => [`f${i}`, value]))));
      const wellFormed = [...a, ...b].every((value) => value.isWellFormed());
      const isSame = a.length === b.length && a.every((value, i) => value === b[i]);
      return !wellFormed || (bytesOf(a) === bytesOf(b)) === isSame;
    }),
  );
});
