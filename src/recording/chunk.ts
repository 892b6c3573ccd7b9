/**
 * Packed (compressed) chunks of a recording, their digests, and the chain that combines these into one
 * digest.
 *
 * @module
 */
import * as zlib from "node:zlib";
import { QfError } from "../base/errors.ts";
import { CHUNK_TEXT_BYTES_MAX } from "./cast.ts";

/** Fast rather than small: compression runs beside the session. */
const ZSTD_LEVEL = 1;
const DIGEST_BYTES = 32;
const LINE_BREAK = 10;
/** Bun's types for node:zlib lack it. */
const { zstdDecompressSync } = zlib as unknown as {
  readonly zstdDecompressSync: (data: Uint8Array, options: { maxOutputLength: number }) => Buffer;
};

/** Compresses lines of the asciicast. */
export function packChunk(text: Uint8Array): Uint8Array {
  return Bun.zstdCompressSync(text, { level: ZSTD_LEVEL });
}

/** As `packChunk`, on another thread. `text` must not change meanwhile. */
export function packChunkAside(text: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return Bun.zstdCompress(text, { level: ZSTD_LEVEL });
}

/** The lines of a chunk. Throws ERR_STATE_DAMAGED for an invalid chunk or one above the size limit. */
export function unpackChunk(packed: Uint8Array): Uint8Array {
  let text: Uint8Array;
  try {
    text = zstdDecompressSync(packed, { maxOutputLength: CHUNK_TEXT_BYTES_MAX });
  } catch (cause) {
    throw new QfError("ERR_STATE_DAMAGED", "a chunk of the recording is damaged", { cause });
  }
  // A truncated chunk decompresses without error, but to less.
  if (text.at(-1) === LINE_BREAK) return text;
  throw new QfError("ERR_STATE_DAMAGED", "a chunk of the recording is cut short");
}

/** SHA-256 of a packed chunk. */
export function digestOfChunk(packed: Uint8Array): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(packed).digest();
}

/** The chain of a recording that has no chunk yet. */
export function emptyChain(): Uint8Array {
  return new Uint8Array(DIGEST_BYTES);
}

/** The chain with one more chunk. */
export function extendChain(chain: Uint8Array, digest: Uint8Array): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(chain).update(digest).digest();
}

/** A digest as in events and answers: unpadded base64url. */
export function digestText(digest: Uint8Array): string {
  return Buffer.from(digest).toString("base64url");
}
