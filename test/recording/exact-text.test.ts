import { expect, test } from "bun:test";
import fc from "fast-check";
import { bytesOfText, ExactText } from "../../src/recording/exact-text.ts";

function textOf(pieces: readonly Uint8Array[]): string {
  const reader = new ExactText();
  return pieces.map((piece) => reader.read(piece)).join("") + reader.end();
}

test("any bytes in any pieces come back exactly, through JSON as well", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 8 }), (pieces) => {
      const json = JSON.stringify(textOf(pieces));
      expect(Buffer.from(bytesOfText(JSON.parse(json)))).toEqual(Buffer.concat(pieces));
    }),
  );
});

test("UTF-8 in any pieces is the text that it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 5 }), (text, step) => {
      const bytes = Buffer.from(text.toWellFormed());
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += step) pieces.push(bytes.subarray(at, at + step));
      expect(textOf(pieces)).toBe(text.toWellFormed());
    }),
  );
});

test.each([
  { name: "a byte that begins nothing", bytes: [0x41, 0xff, 0x42], want: "A\udcffB" },
  { name: "a surrogate", bytes: [0xed, 0xa0, 0x80], want: "\udced\udca0\udc80" },
  { name: "an overlong slash", bytes: [0xc0, 0xaf], want: "\udcc0\udcaf" },
  { name: "half of a character at the end", bytes: [0xe2, 0x82], want: "\udce2\udc82" },
  { name: "a byte order mark, which is kept", bytes: [0xef, 0xbb, 0xbf], want: "\ufeff" },
])("$name is written as what it is", ({ bytes, want }) => {
  expect(textOf([Uint8Array.from(bytes)])).toBe(want);
});

test("the beginning of a character stays what it was when the caller uses its buffer again", () => {
  const reader = new ExactText();
  const buffer = Buffer.from("ab\u6f22");
  expect(reader.read(buffer.subarray(0, 3))).toBe("ab");
  const rest = Buffer.from(buffer.subarray(3));
  buffer.fill(0x78);
  expect(reader.isWithin).toBe(true);
  expect(reader.read(rest)).toBe("\u6f22");
  expect(reader.isWithin).toBe(false);
});
