/**
 * SSH wire types (RFC 4251 section 5) over Uint8Array, read strictly and within bounds.
 *
 * The same rules as `base/ssh-buffer.ts`, without Node's Buffer: this code runs in a page.
 *
 * @module
 */

/** Bytes that WebCrypto accepts: never over shared memory. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The bytes are not what the caller asked for. The message holds no data from the input. */
export class WireError extends Error {
  override readonly name = "WireError";
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export function utf8(text: string): Bytes {
  return encoder.encode(text) as Bytes;
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

export function fromBase64(text: string): Bytes {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

/** Base64url without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Reads one field after another. Every method throws a `WireError` if there is no such field. */
export class ByteReader {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  bool(): boolean {
    return this.uint8() !== 0;
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  /** A view of the next `length` bytes. */
  raw(length: number): Bytes {
    const start = this.#take(length);
    return this.#bytes.subarray(start, this.#at);
  }

  string(lengthMax: number): Bytes {
    const length = this.uint32();
    if (length > lengthMax) throw new WireError("a string is too long");
    return this.raw(length);
  }

  text(lengthMax: number): string {
    const bytes = this.string(lengthMax);
    try {
      return strictUtf8.decode(bytes);
    } catch (cause) {
      throw new WireError("a text is not UTF-8", { cause });
    }
  }

  names(lengthMax: number): string[] {
    const text = this.text(lengthMax);
    return text === "" ? [] : text.split(",");
  }

  #take(length: number): number {
    if (length > this.left) throw new WireError("truncated");
    const start = this.#at;
    this.#at += length;
    return start;
  }
}

/** Writes one field after another. Each method returns the writer. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  uint8(value: number): this {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
    return this;
  }

  bool(value: boolean): this {
    return this.uint8(value ? 1 : 0);
  }

  uint32(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value);
    return this;
  }

  uint64(value: bigint): this {
    const at = this.#room(8);
    this.#view.setBigUint64(at, value);
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  string(bytes: Uint8Array): this {
    return this.uint32(bytes.length).raw(bytes);
  }

  text(text: string): this {
    return this.string(encoder.encode(text));
  }

  names(names: readonly string[]): this {
    return this.text(names.join(","));
  }

  /** A non-negative integer, big endian, in the shortest form, which RFC 4251 requires. */
  mpint(bytes: Uint8Array): this {
    const first = bytes.findIndex((byte) => byte !== 0);
    const short = first === -1 ? new Uint8Array(0) : bytes.subarray(first);
    return (short[0] ?? 0) < 0x80 ? this.string(short) : this.string(concat(Uint8Array.of(0), short));
  }

  done(): Bytes {
    return this.#bytes.slice(0, this.#length);
  }

  #room(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
