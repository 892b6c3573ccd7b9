/**
 * Reads a folder in pieces, so that no folder is too large. Names are bytes.
 *
 * @module
 */
import { constants, lstatSync, openSync } from "node:fs";
import { readEntries } from "./libc.ts";
import { longNameOf } from "./long-name.ts";
import { type NamedFile, namedFileBytes } from "./named-file.ts";
import { LISTING_BYTES_MAX } from "./protocol.ts";

/** struct linux_dirent64: inode, offset, record length, file type, then the name. */
const RECORD_LENGTH_OFFSET = 16;
const NAME_OFFSET = 19;
/** Buffer for one getdents(2) call. */
const RECORDS_BYTES = 32_768;

export class Folder {
  readonly fd: number;
  readonly path: Buffer;
  readonly #records = Buffer.alloc(RECORDS_BYTES);
  #at = 0;
  #end = 0;

  /** Throws open(2) errors, also if `path` is not a folder. */
  constructor(path: Buffer) {
    this.path = Buffer.concat([path, Buffer.from(path.at(-1) === 0x2f ? "" : "/")]);
    this.fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK);
  }

  /** The next entries, as many as fit into one answer. Empty at the end. */
  next(): NamedFile[] {
    const files: NamedFile[] = [];
    let bytes = 0;
    for (let name = this.#peek(); name !== null; name = this.#peek()) {
      const file = this.#describe(name);
      if (file !== null) {
        bytes += namedFileBytes(file);
        if (bytes > LISTING_BYTES_MAX) break;
        files.push(file);
      }
      this.#at += this.#records.readUInt16LE(this.#at + RECORD_LENGTH_OFFSET);
    }
    return files;
  }

  /** A view of the next name. Null at the end of the folder. */
  #peek(): Buffer | null {
    if (this.#at >= this.#end) {
      this.#at = 0;
      this.#end = readEntries(this.fd, this.#records);
      if (this.#end === 0) return null;
    }
    const start = this.#at + NAME_OFFSET;
    return this.#records.subarray(start, this.#records.indexOf(0, start));
  }

  /** Null: the file is gone or may not be examined. */
  #describe(name: Buffer): NamedFile | null {
    try {
      const stats = lstatSync(Buffer.concat([this.path, name]));
      return { name: Buffer.from(name), longName: longNameOf(name, stats), stats };
    } catch {
      return null;
    }
  }
}
