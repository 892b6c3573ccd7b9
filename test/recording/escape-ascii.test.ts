import { expect, test } from "bun:test";
import fc from "fast-check";
import { escapeAscii } from "../../src/recording/escape-ascii.ts";

/** Most output bytes per input byte: `\\u0000`. */
const ESCAPED_BYTES_MAX = 6;

function escaped(source: Uint8Array, from = 0, to = source.length): string | null {
  const target = Buffer.alloc(3 + ESCAPED_BYTES_MAX * source.length);
  const end = escapeAscii(source, { from, to }, target, 3);
  return end < 0 ? null : target.toString("latin1", 3, end);
}

test("every byte of ASCII is as JSON has it", () => {
  for (let byte = 0; byte < 0x80; byte++) {
    const text = String.fromCharCode(byte);
    expect(escaped(Buffer.from(text))).toBe(JSON.stringify(text).slice(1, -1));
  }
});

test("any ASCII is, from any place to any other", () => {
  const ascii = fc.uint8Array({ max: 0x7f, maxLength: 64 });
  fc.assert(
    fc.property(ascii, fc.nat(64), fc.nat(64), (source, a, b) => {
      const from = Math.min(a, b, source.length);
      const to = Math.min(Math.max(a, b), source.length);
      const text = Buffer.from(source).toString("latin1", from, to);
      expect(escaped(source, from, to)).toBe(JSON.stringify(text).slice(1, -1));
    }),
  );
});

test.each([0x80, 0x9b, 0xc3, 0xff])("the byte %i is not ASCII", (byte) => {
  expect(escaped(Buffer.from([0x61, byte, 0x62]))).toBeNull();
  // Only what is asked for is looked at.
  expect(escaped(Buffer.from([0x61, byte, 0x62]), 2)).toBe("b");
});
