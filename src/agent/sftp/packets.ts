/**
 * Splits the client's stream into packets in one buffer, without copying complete ones.
 *
 * @module
 */
import { readSync } from "node:fs";
import { SshBufferError } from "../../base/ssh-buffer.ts";
import { PACKET_BYTES_MAX } from "./protocol.ts";

const LENGTH_BYTES = 4;
/** One packet of maximum size, and room to read small ones ahead. */
const BUFFER_BYTES = 2 * (PACKET_BYTES_MAX + LENGTH_BYTES);

/** From this size on a copy costs more than a system call. */
const LARGE_BYTES = 16_384;

export class Packets {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #start = 0;
  #end = 0;

  /** `fd` must be blocking. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Whether the stream is between two packets. */
  get isBetween(): boolean {
    return this.#start === this.#end;
  }

  /**
   * The next packet without its length field. Null: more must be read. The view is valid until `fill`. Throws
   * an `SshBufferError` for an invalid length.
   */
  next(): Buffer | null {
    const held = this.#end - this.#start;
    if (held < LENGTH_BYTES) return null;
    const length = this.#buffer.readUInt32BE(this.#start);
    if (length === 0 || length > PACKET_BYTES_MAX) throw new SshBufferError("a packet has an invalid length");
    if (held < LENGTH_BYTES + length) return null;
    const body = this.#start + LENGTH_BYTES;
    this.#start = body + length;
    return this.#buffer.subarray(body, this.#start);
  }

  /** Waits for more data. False at the end of the stream. */
  fill(): boolean {
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    } else if (this.#start > BUFFER_BYTES - (PACKET_BYTES_MAX + LENGTH_BYTES)) {
      // The begun packet may not fit where it is.
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    const room = BUFFER_BYTES - this.#end;
    const missing = this.#missing();
    // Read a large packet without what follows, so that the next packet starts at the front.
    const wanted = missing > LARGE_BYTES ? Math.min(missing, room) : room;
    const count = readSync(this.#fd, this.#buffer, this.#end, wanted, null);
    this.#end += count;
    return count > 0;
  }

  /** Bytes that the current packet still lacks. */
  #missing(): number {
    const held = this.#end - this.#start;
    if (held < LENGTH_BYTES) return 0;
    return LENGTH_BYTES + this.#buffer.readUInt32BE(this.#start) - held;
  }
}
