import { expect, test } from "bun:test";
import fc from "fast-check";
import { SshBufferError, SshReader, SshWriter } from "../../src/base/ssh-buffer.ts";

const reader = (...bytes: number[]) => new SshReader(Uint8Array.from(bytes));

test("a reader takes back what a writer wrote, whatever the values", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 255 }),
      fc.boolean(),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
      (uint8, bool, uint32, uint64, bytes, text) => {
        const written = new SshWriter()
          .uint8(uint8)
          .bool(bool)
          .uint32(uint32)
          .uint64(uint64)
          .string(bytes)
          .text(text);
        const read = new SshReader(written.toBuffer());
        expect(read.uint8()).toBe(uint8);
        expect(read.bool()).toBe(bool);
        expect(read.uint32()).toBe(uint32);
        expect(read.uint64()).toBe(uint64);
        expect(Uint8Array.from(read.string(300))).toEqual(bytes);
        expect(read.text(4096)).toBe(text);
        read.end();
      },
    ),
  );
});

test.each<[string, () => unknown]>([
  ["a uint8 past the end", () => reader().uint8()],
  ["half a uint32", () => reader(0, 0, 0).uint32()],
  ["half a uint64", () => reader(0, 0, 0, 0, 0, 0, 0).uint64()],
  ["a string longer than what is there", () => reader(0, 0, 0, 2, 65).string(10)],
  ["a string length of 2^32-1", () => reader(255, 255, 255, 255, 65).string(0xffff_ffff)],
  ["a string above its bound", () => reader(0, 0, 0, 2, 65, 65).string(1)],
  ["a text that is not UTF-8", () => reader(0, 0, 0, 1, 0xff).text(8)],
  ["an overlong UTF-8 encoding", () => reader(0, 0, 0, 2, 0xc1, 0x81).text(8)],
  ["a surrogate in UTF-8", () => reader(0, 0, 0, 3, 0xed, 0xa0, 0x80).text(8)],
  ["a text with NUL", () => reader(0, 0, 0, 2, 65, 0).text(8)],
  ["a boolean of 2", () => reader(2).bool()],
  ["trailing bytes", () => reader(0).end()],
])("SshReader refuses %s", (_, read) => {
  expect(read).toThrow(SshBufferError);
});

test("SshReader keeps a byte order mark, so that one text has one encoding", () => {
  expect(reader(0, 0, 0, 4, 0xef, 0xbb, 0xbf, 65).text(8)).toBe("\ufeffA");
});

test.each<[string, () => unknown]>([
  ["a uint8 of 256", () => new SshWriter().uint8(256)],
  ["a negative uint8", () => new SshWriter().uint8(-1)],
  ["a fractional uint8", () => new SshWriter().uint8(0.5)],
  ["a negative uint32", () => new SshWriter().uint32(-1)],
  ["a fractional uint32", () => new SshWriter().uint32(1.5)],
  ["a uint64 of 2^64", () => new SshWriter().uint64(1n << 64n)],
  ["a negative uint64", () => new SshWriter().uint64(-1n)],
  ["a text with NUL", () => new SshWriter().text("a\0b")],
  ["half a surrogate pair", () => new SshWriter().text("\ud800")],
  ["more than its bound", () => new SshWriter().raw(Buffer.alloc(262_145))],
])("SshWriter refuses %s", (_, write) => {
  expect(write).toThrow(SshBufferError);
});
