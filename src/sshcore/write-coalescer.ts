/**
 * The coalescer of writes to a transport: the pieces of one turn of the loop go out in one call. ssh2 writes
 * a packet in pieces, and a turn may send many packets.
 *
 * The pieces are put together in memory that is used again. Fresh memory for every turn would cost a bulk
 * transfer more than its encryption.
 *
 * @module
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { releaseBuffer } from "../base/release-buffer.ts";

/** A socket is also given text. */
type Chunks = readonly { readonly chunk: Uint8Array | string }[];
type Done = (error?: Error | null) => void;

/** So much of one turn is sent before more is gathered: it stays in the cache. */
const TURN_BYTES = 256 * 1024;
/**
 * What a slow transport lets pile up, as a rule; more is put together by the stream itself, in fresh memory.
 */
const BUFFER_BYTES = 1280 * 1024;
/** Buffers kept for the next turn; a transport that is behind holds one. */
const SPARE_MAX = 4;
const spare: Buffer[] = [];
/** From here on a piece is a whole encrypted packet, which is nobody's but this stream's. */
const LARGE_BYTES = 8192;

/** Coalesces the writes to `stream`. The returned function is called before each write of `length` bytes. */
export function createGatherer(stream: Duplex): (length: number) => void {
  let gathered = 0;
  let isGathering = false;
  reuseMemory(stream);
  return (length) => {
    gathered += length;
    if (isGathering) {
      if (gathered < TURN_BYTES) return;
      gathered = length;
      stream.uncork();
      stream.cork();
      return;
    }
    isGathering = true;
    stream.cork();
    queueMicrotask(() => {
      isGathering = false;
      gathered = 0;
      stream.uncork();
    });
  };
}

/** For sockets only: another stream may hold a buffer for longer than until its write is done. */
function reuseMemory(stream: Duplex): void {
  const own = stream._writev?.bind(stream);
  if (own === undefined || !(stream instanceof Socket)) return;
  stream._writev = (chunks: Chunks, done: Done): void => {
    const pieces = chunks.map(({ chunk }) => chunk).filter((chunk) => typeof chunk !== "string");
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (pieces.length === 1 || pieces.length < chunks.length || length > BUFFER_BYTES) {
      own(chunks as never, done);
      return;
    }
    const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
    let at = 0;
    for (const piece of pieces) {
      buffer.set(piece, at);
      at += piece.length;
      if (piece.length >= LARGE_BYTES) releaseBuffer(piece);
    }
    stream._write(buffer.subarray(0, length), "buffer" as BufferEncoding, (error) => {
      if (spare.length < SPARE_MAX) spare.push(buffer);
      done(error);
    });
  };
}
