/**
 * Replies to the SFTP client, composed in one buffer and written with as few calls as possible.
 *
 * @module
 */
import { readSync, type Stats, writeSync } from "node:fs";
import { ATTRIBUTES_BYTES, encodeAttributes } from "./attributes.ts";
import type { OpenFile } from "./handles.ts";
import { type NamedFile, namedFileBytes } from "./named-file.ts";
import { DATA_BYTES_MAX, PACKET_BYTES_MAX, Reply, SFTP_VERSION } from "./protocol.ts";
import type { Outcome } from "./status.ts";

/** One packet of maximum size beside others that are gathered. */
const BUFFER_BYTES = PACKET_BYTES_MAX + 4 + 65_536;
/** Bytes of answers that do not wait for more. */
const LARGE_BYTES = 131_072;
/** Length, type and request id. */
const HEADER_BYTES = 9;

/** Called before a write that may block. Returns how many bytes may be written, at least one. */
export type BeforeWrite = (fd: number) => number;

export class Replies {
  readonly #fd: number;
  readonly #beforeWrite: BeforeWrite;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #used = 0;
  #start = 0;

  /** `fd` must be blocking: the server has nothing else to do while the client does not read. */
  constructor(fd: number, beforeWrite: BeforeWrite = () => BUFFER_BYTES) {
    this.#fd = fd;
    this.#beforeWrite = beforeWrite;
  }

  /** Writes everything. Throws EPIPE when the client is gone. */
  flush(): void {
    let written = 0;
    while (written < this.#used) {
      const length = Math.min(this.#used - written, this.#beforeWrite(this.#fd));
      written += writeSync(this.#fd, this.#buffer, written, length);
    }
    this.#used = 0;
  }

  version(extensions: readonly (readonly [name: string, data: string])[]): void {
    this.#reserve(PACKET_BYTES_MAX);
    this.#start = this.#used;
    this.#used += 4;
    this.#uint8(Reply.version);
    this.#uint32(SFTP_VERSION);
    for (const [name, data] of extensions) {
      this.#string(Buffer.from(name));
      this.#string(Buffer.from(data));
    }
    this.#end();
  }

  status(id: number, { status, message }: Outcome): void {
    this.#begin(Reply.status, id, 16 + message.length);
    this.#uint32(status);
    // Our own messages are ASCII.
    this.#uint32(message.length);
    this.#used += this.#buffer.write(message, this.#used, "latin1");
    this.#uint32(0);
    this.#end();
  }

  handle(id: number, handle: number): void {
    this.#begin(Reply.handle, id, 8);
    this.#uint32(4);
    this.#uint32(handle);
    this.#end();
  }

  /**
   * Reads from a file straight into the answer and reports the bytes to `log`, whether or not they could be
   * sent. False: end of file, and nothing is sent.
   */
  data(id: number, { fd, log }: OpenFile, { offset, length }: { offset: number; length: number }): boolean {
    const wanted = Math.min(length, DATA_BYTES_MAX);
    this.#reserve(HEADER_BYTES + 4 + wanted);
    const at = this.#used + HEADER_BYTES + 4;
    const count = readSync(fd, this.#buffer, at, wanted, offset);
    if (count === 0) return false;
    this.#begin(Reply.data, id, 4 + count);
    this.#uint32(count);
    this.#used += count;
    this.#end();
    const bytes = this.#buffer.subarray(at, at + count);
    try {
      // The agent encrypts what is large while it is hashed here.
      if (this.#used >= LARGE_BYTES) this.flush();
    } finally {
      log?.read(offset, bytes);
    }
    return true;
  }

  names(id: number, files: readonly NamedFile[]): void {
    this.#begin(
      Reply.name,
      id,
      files.reduce((sum, file) => sum + namedFileBytes(file), 4),
    );
    this.#uint32(files.length);
    for (const file of files) {
      this.#string(file.name);
      this.#string(file.longName);
      if (file.stats === null) this.#uint32(0);
      else this.#attributes(file.stats);
    }
    this.#end();
  }

  attributes(id: number, stats: Stats): void {
    this.#begin(Reply.attributes, id, ATTRIBUTES_BYTES);
    this.#attributes(stats);
    this.#end();
  }

  extended(id: number, body: Uint8Array): void {
    this.#begin(Reply.extended, id, body.length);
    this.#raw(body);
    this.#end();
  }

  #begin(type: number, id: number, bodyBytes: number): void {
    this.#reserve(HEADER_BYTES + bodyBytes);
    this.#start = this.#used;
    this.#used += 4;
    this.#uint8(type);
    this.#uint32(id);
  }

  #end(): void {
    this.#buffer.writeUInt32BE(this.#used - this.#start - 4, this.#start);
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes > BUFFER_BYTES) this.flush();
  }

  #attributes(stats: Stats): void {
    encodeAttributes(this.#buffer, this.#used, stats);
    this.#used += ATTRIBUTES_BYTES;
  }

  #string(bytes: Uint8Array): void {
    this.#uint32(bytes.length);
    this.#raw(bytes);
  }

  #uint8(value: number): void {
    this.#buffer[this.#used++] = value;
  }

  #uint32(value: number): void {
    this.#used = this.#buffer.writeUInt32BE(value, this.#used);
  }

  #raw(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }
}
