/**
 * SSH wire types (RFC 4251 section 5) read and written strictly and within bounds.
 *
 * A reader never looks past its bytes, never copies more than a field may hold, and accepts only one encoding
 * of each value. Anything else throws an `SshBufferError`.
 *
 * @module
 */

/** The bytes do not hold what the caller asked for. The message contains no input data. */
export class SshBufferError extends Error {
  override readonly name = "SshBufferError";
}

/** Capacity of one writer: OpenSSH's largest packet. */
const WRITER_BYTES_MAX = 262_144;
const UINT64_MAX = 0xffff_ffff_ffff_ffffn;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads fields in order. Every method throws an `SshBufferError` when the bytes do not hold such a field.
 * Fields are views of the input, not copies.
 */
export class SshReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#position;
  }

  get isAtEnd(): boolean {
    return this.#position === this.#bytes.length;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  /** 0 or 1; RFC 4251 forbids sending anything else. */
  bool(): boolean {
    const value = this.uint8();
    if (value > 1) throw new SshBufferError("a boolean is neither 0 nor 1");
    return value === 1;
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  uint64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(8));
  }

  /** The next `length` bytes. */
  raw(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, this.#position);
  }

  /** A string of at most `lengthMax` bytes. */
  string(lengthMax: number): Buffer {
    const length = this.uint32();
    if (length > lengthMax) throw new SshBufferError("a string is too long");
    return this.raw(length);
  }

  /** A string of at most `lengthMax` bytes that is UTF-8 without NUL. */
  text(lengthMax: number): string {
    const bytes = this.string(lengthMax);
    if (bytes.includes(0)) throw new SshBufferError("a text holds NUL");
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw new SshBufferError("a text is not UTF-8", { cause });
    }
  }

  /** Throws unless all bytes were read. */
  end(): void {
    if (!this.isAtEnd) throw new SshBufferError("trailing bytes");
  }

  /** Skips the next `length` bytes and returns where they begin. */
  #take(length: number): number {
    const start = this.#position;
    if (length > this.#bytes.length - start) throw new SshBufferError("truncated");
    this.#position = start + length;
    return start;
  }
}

/**
 * Writes fields in order; each method returns the writer. Throws an `SshBufferError` for a value that its
 * field cannot hold, and beyond 262,144 bytes in all.
 */
export class SshWriter {
  readonly #parts: Buffer[] = [];
  #length = 0;

  uint8(value: number): this {
    if (!Number.isInteger(value) || value < 0 || value > 0xff) throw new SshBufferError("not a uint8");
    return this.raw(Buffer.of(value));
  }

  bool(value: boolean): this {
    return this.uint8(value ? 1 : 0);
  }

  uint32(value: number): this {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
      throw new SshBufferError("not a uint32");
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return this.raw(bytes);
  }

  uint64(value: bigint): this {
    if (value < 0n || value > UINT64_MAX) throw new SshBufferError("not a uint64");
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(value);
    return this.raw(bytes);
  }

  raw(bytes: Uint8Array): this {
    this.#length += bytes.length;
    if (this.#length > WRITER_BYTES_MAX) throw new SshBufferError("too long");
    this.#parts.push(Buffer.from(bytes));
    return this;
  }

  string(bytes: Uint8Array): this {
    return this.uint32(bytes.length).raw(bytes);
  }

  /** Text that a strict reader accepts: no NUL and no lone surrogate. */
  text(text: string): this {
    if (text.includes("\0") || !text.isWellFormed()) throw new SshBufferError("not a text");
    return this.string(Buffer.from(text, "utf8"));
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
