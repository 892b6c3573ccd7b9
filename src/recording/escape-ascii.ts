/**
 * Escapes ASCII for JSON strings byte by byte, with the result of `JSON.stringify` but without creating
 * strings.
 *
 * @module
 */

const BACKSLASH = 0x5c;
const QUOTE = 0x22;
/** The character after the backslash in each short escape. */
const SHORT = shortEscapes();
const HEX = Buffer.from("0123456789abcdef");

/**
 * Writes `source` from `from` to `to` into `target` at `at`, which must have room for six bytes for each.
 * Returns the end; -1 when there is anything but ASCII.
 */
export function escapeAscii(
  source: Uint8Array,
  { from, to }: { readonly from: number; readonly to: number },
  target: Uint8Array,
  at: number,
): number {
  let end = at;
  for (let i = from; i < to; i++) {
    const byte = source[i] ?? 0;
    if (byte >= 0x80) return -1;
    if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) {
      target[end++] = byte;
      continue;
    }
    target[end++] = BACKSLASH;
    const short = SHORT[byte] ?? 0;
    if (short !== 0) {
      target[end++] = short;
      continue;
    }
    // \u00XX
    target[end] = 0x75;
    target[end + 1] = 0x30;
    target[end + 2] = 0x30;
    target[end + 3] = HEX[byte >> 4] ?? 0;
    target[end + 4] = HEX[byte & 15] ?? 0;
    end += 5;
  }
  return end;
}

function shortEscapes(): Uint8Array {
  const table = new Uint8Array(0x80);
  for (let byte = 0; byte < table.length; byte++) {
    const escaped = JSON.stringify(String.fromCharCode(byte)).slice(1, -1);
    if (escaped.length === 2) table[byte] = escaped.charCodeAt(1);
  }
  return table;
}
