/**
 * Queue of received bytes that have not been read yet.
 *
 * @module
 */
import type { Bytes } from "./bytes.ts";

interface Chunk {
  readonly bytes: Bytes;
  readonly taken: () => void;
}

export class ByteQueue {
  readonly #chunks: Chunk[] = [];
  /** Bytes of the first chunk that have been taken. */
  #used = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(bytes: Bytes, taken: () => void): void {
    if (bytes.length === 0) taken();
    else this.#chunks.push({ bytes, taken });
    this.#length += bytes.length;
  }

  /** The byte at `index`, which must exist. */
  at(index: number): number {
    let position = index + this.#used;
    for (const { bytes } of this.#chunks) {
      if (position < bytes.length) return bytes[position] ?? 0;
      position -= bytes.length;
    }
    throw new RangeError("no such byte");
  }

  uint32(): number {
    return ((this.at(0) << 24) | (this.at(1) << 16) | (this.at(2) << 8) | this.at(3)) >>> 0;
  }

  /** Takes the next `length` bytes, which must exist. Returns a view if one chunk holds them. */
  take(length: number): Bytes {
    if (length > this.#length) throw new RangeError("not as many bytes");
    const [head] = this.#chunks;
    if (head !== undefined && head.bytes.length - this.#used >= length) {
      const view = head.bytes.subarray(this.#used, this.#used + length);
      this.#use(length);
      return view;
    }
    const out = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const [chunk] = this.#chunks;
      if (chunk === undefined) break;
      const part = chunk.bytes.subarray(this.#used, this.#used + length - at);
      out.set(part, at);
      at += part.length;
      this.#use(part.length);
    }
    return out;
  }

  /** Discards everything left. */
  clear(): void {
    for (const { taken } of this.#chunks.splice(0)) taken();
    this.#used = 0;
    this.#length = 0;
  }

  #use(length: number): void {
    this.#length -= length;
    this.#used += length;
    const [head] = this.#chunks;
    if (head === undefined || this.#used < head.bytes.length) return;
    this.#chunks.shift();
    this.#used = 0;
    head.taken();
  }
}
