import { describe, expect, test } from "bun:test";
import {
  ByteReader,
  type Bytes,
  ByteWriter,
  concat,
  fromBase64,
  isEqual,
  toBase64Url,
  utf8,
  WireError,
} from "../../src/browser-ssh/bytes.ts";

const of = (...bytes: number[]): Bytes => Uint8Array.from(bytes);

test("fields come back as they were written", () => {
  const bytes = new ByteWriter()
    .uint8(7)
    .bool(true)
    .uint32(0xffff_fffe)
    .uint64(2n ** 63n)
    .string(of(1, 2))
    .text("grün")
    .names(["a", "b"])
    .names([])
    .raw(new Uint8Array(1_000))
    .done();
  const reader = new ByteReader(bytes);
  const read = [reader.uint8(), reader.bool(), reader.uint32(), reader.uint64()];
  expect(read).toEqual([7, true, 0xffff_fffe, 2n ** 63n]);
  expect([...reader.string(2)]).toEqual([1, 2]);
  expect([reader.text(8), reader.names(8), reader.names(8)]).toEqual(["grün", ["a", "b"], []]);
  expect([reader.raw(1_000).length, reader.left]).toEqual([1_000, 0]);
});

test.each<[string, number[], number[]]>([
  ["zero", [0, 0], [0, 0, 0, 0]],
  ["a first bit", [0x80], [0, 0, 0, 2, 0, 0x80]],
  ["zeros before it", [0, 0, 0x7f, 1], [0, 0, 0, 2, 0x7f, 1]],
])("a number has one form: %s", (_what, value, expected) => {
  expect([...new ByteWriter().mpint(Uint8Array.from(value)).done()]).toEqual(expected);
});

describe("what is not there is not read", () => {
  test.each<[string, Bytes, (reader: ByteReader) => unknown]>([
    ["a byte of nothing", of(), (reader) => reader.uint8()],
    ["a number cut short", of(0, 0, 0), (reader) => reader.uint32()],
    ["a long number cut short", of(0, 0, 0, 0, 0, 0, 0), (reader) => reader.uint64()],
    ["a string beyond the end", of(0, 0, 0, 2, 1), (reader) => reader.string(8)],
    ["a string beyond its bound", of(0, 0, 0, 2, 1, 1), (reader) => reader.string(1)],
    ["a text that is not UTF-8", of(0, 0, 0, 1, 0xff), (reader) => reader.text(8)],
    ["more than is left", of(1), (reader) => reader.raw(2)],
  ])("%s", (_what, bytes, read) => {
    expect(() => read(new ByteReader(bytes))).toThrow(WireError);
  });
});

test("base64 of both alphabets, and bytes side by side", () => {
  expect([...fromBase64("-_8=")]).toEqual([0xfb, 0xff]);
  expect([...fromBase64("+/8")]).toEqual([0xfb, 0xff]);
  expect(toBase64Url(of(0xfb, 0xff))).toBe("-_8");
  expect([isEqual(of(1, 2), of(1, 2)), isEqual(of(1), of(2)), isEqual(of(1), of(1, 2))]).toEqual([
    ...[true, false, false],
  ]);
  expect(new TextDecoder().decode(concat(utf8("a"), utf8("é")))).toBe("aé");
});
