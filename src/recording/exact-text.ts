/**
 * Lossless conversion between bytes and text. UTF-8 becomes text, and every other byte a code unit from
 * U+DC80 to U+DCFF, which no valid UTF-8 encodes. JSON escapes such a unit, so a recording stays valid JSON,
 * and players show a replacement character.
 *
 * @module
 */

const LONE_BASE = 0xdc00;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes one stream, in pieces that may end within a character. */
export class ExactText {
  /** The beginning of an incomplete character: at most three bytes. */
  #held: Uint8Array = new Uint8Array(0);

  /** Whether the next piece begins within a character. */
  get isWithin(): boolean {
    return this.#held.length > 0;
  }

  read(piece: Uint8Array): string {
    const data = this.#held.length === 0 ? piece : joined(this.#held, piece);
    const end = data.length - unfinishedBytes(data);
    // A copy, since the caller may reuse its bytes; slice() of a Buffer would not copy.
    this.#held = new Uint8Array(data.subarray(end));
    return textOf(end === data.length ? data : data.subarray(0, end));
  }

  /** The remaining text at the end of the stream. */
  end(): string {
    const held = this.#held;
    this.#held = new Uint8Array(0);
    return textOf(held);
  }
}

/** The bytes that `ExactText` decoded to `text`. */
export function bytesOfText(text: string): Uint8Array {
  if (text.isWellFormed()) return Buffer.from(text, "utf8");
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= LONE_BASE + 0x80 && code <= LONE_BASE + 0xff) bytes.push(code - LONE_BASE);
    else bytes.push(...Buffer.from(character, "utf8"));
  }
  return Uint8Array.from(bytes);
}

function textOf(data: Uint8Array): string {
  try {
    return strict.decode(data);
  } catch {
    return looseText(data);
  }
}

/** Decodes valid UTF-8 runs as text, and every other byte on its own. */
function looseText(data: Uint8Array): string {
  let text = "";
  let from = 0;
  for (let at = 0; at < data.length; ) {
    const length = characterBytes(data, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += strict.decode(data.subarray(from, at)) + String.fromCharCode(LONE_BASE + (data[at] ?? 0));
    at += 1;
    from = at;
  }
  return text + strict.decode(data.subarray(from));
}

/** Length of the character at `at`; 0 when there is no complete valid one (RFC 3629 section 4). */
function characterBytes(data: Uint8Array, at: number): number {
  const first = data[at] ?? 0;
  if (first < 0x80) return 1;
  const length = lengthOf(first);
  if (length === 0 || at + length > data.length) return 0;
  const second = data[at + 1] ?? 0;
  const [low, high] = secondRange(first);
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) if (((data[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

function lengthOf(first: number): number {
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

function secondRange(first: number): readonly [number, number] {
  if (first === 0xe0) return [0xa0, 0xbf];
  if (first === 0xed) return [0x80, 0x9f];
  if (first === 0xf0) return [0x90, 0xbf];
  return first === 0xf4 ? [0x80, 0x8f] : [0x80, 0xbf];
}

/** How many bytes at the end may begin an incomplete character. */
function unfinishedBytes(data: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, data.length); back++) {
    const byte = data[data.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return lengthOf(byte) > back ? back : 0;
  }
  return 0;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
