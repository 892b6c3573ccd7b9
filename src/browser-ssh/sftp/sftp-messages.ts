/**
 * Messages of SFTP version 3 (draft-ietf-secsh-filexfer-02), as far as the page needs them.
 *
 * @module
 */
import { type ByteReader, ByteWriter } from "../bytes.ts";
import { printable, SshFailure } from "../failure.ts";

export const FXP = {
  INIT: 1,
  VERSION: 2,
  OPEN: 3,
  CLOSE: 4,
  READ: 5,
  WRITE: 6,
  LSTAT: 7,
  OPENDIR: 11,
  READDIR: 12,
  REMOVE: 13,
  MKDIR: 14,
  RMDIR: 15,
  REALPATH: 16,
  STAT: 17,
  RENAME: 18,
  STATUS: 101,
  HANDLE: 102,
  DATA: 103,
  NAME: 104,
  ATTRS: 105,
  EXTENDED: 200,
  EXTENDED_REPLY: 201,
} as const;

export const OPEN_FLAG = { read: 1, write: 2, create: 8, truncate: 16, exclusive: 32 } as const;

export const STATUS = { ok: 0, eof: 1, noFile: 2, denied: 3, failure: 4 } as const;
const STATUS_WORDS: Readonly<Record<number, string>> = {
  [STATUS.noFile]: "there is no such file",
  [STATUS.denied]: "the machine does not allow this",
  8: "the machine cannot do this",
};

const HAS = { size: 1, owner: 2, mode: 4, times: 8, extended: 0x8000_0000 } as const;
const KIND_MASK = 0o170_000;
const KINDS: ReadonlyMap<number, FileKind> = new Map([
  [0o040_000, "folder"],
  [0o100_000, "file"],
  [0o120_000, "link"],
]);
const TEXT_BYTES_MAX = 64 * 1024;

export type FileKind = "file" | "folder" | "link" | "other";

export interface FileFacts {
  readonly kind: FileKind;
  /** Bytes. Null: the machine does not say. */
  readonly size: number | null;
  readonly mode: number | null;
  readonly modifiedSeconds: number | null;
}

export interface ListedFile extends FileFacts {
  readonly name: string;
}

/** A refused request. `status` is the status code on the wire. */
export class SftpFailure extends SshFailure {
  readonly status: number;

  constructor(status: number, said: string) {
    super("refused", STATUS_WORDS[status] ?? (printable(said).trim() || "the machine refused this"));
    this.status = status;
  }
}

export function readFacts(reader: ByteReader): FileFacts {
  const flags = reader.uint32();
  const size = (flags & HAS.size) === 0 ? null : Number(reader.uint64());
  if ((flags & HAS.owner) !== 0) reader.raw(8);
  const mode = (flags & HAS.mode) === 0 ? null : reader.uint32();
  let modifiedSeconds: number | null = null;
  if ((flags & HAS.times) !== 0) {
    reader.uint32();
    modifiedSeconds = reader.uint32();
  }
  if ((flags & HAS.extended) !== 0) {
    for (let left = reader.uint32(); left > 0; left--) {
      reader.string(TEXT_BYTES_MAX);
      reader.string(TEXT_BYTES_MAX);
    }
  }
  const kind = mode === null ? "other" : (KINDS.get(mode & KIND_MASK) ?? "other");
  return { kind, size, mode, modifiedSeconds };
}

export function readNames(reader: ByteReader): ListedFile[] {
  const files: ListedFile[] = [];
  for (let left = reader.uint32(); left > 0; left--) {
    const name = nameOf(reader.string(TEXT_BYTES_MAX));
    reader.string(TEXT_BYTES_MAX);
    files.push({ name, ...readFacts(reader) });
  }
  return files;
}

export function statusOf(reader: ByteReader): { readonly status: number; readonly said: string } {
  const status = reader.uint32();
  // Some servers omit the text.
  return { status, said: reader.left === 0 ? "" : nameOf(reader.string(TEXT_BYTES_MAX)) };
}

/** Sends no attributes, so that the machine's defaults apply. */
export function noFacts(writer: ByteWriter): ByteWriter {
  return writer.uint32(0);
}

export function request(type: number, id: number, fill: (writer: ByteWriter) => ByteWriter): ByteWriter {
  return fill(new ByteWriter().uint8(type).uint32(id));
}

/** Names are bytes on a machine. One that is not UTF-8 is shown but cannot be requested. */
function nameOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
