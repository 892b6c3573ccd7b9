/**
 * Coalesces writes to a transport: all pieces written in one event loop turn go out in one call. ssh2 writes
 * a packet in pieces, and a turn may send many packets.
 *
 * The pieces are joined in reused buffers. Allocating memory each turn would cost a bulk transfer more than
 * its encryption.
 *
 * @module
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { releaseBuffer } from "../base/release-buffer.ts";

/** A socket may also receive text. */
type Chunks = readonly { readonly chunk: Uint8Array | string }[];
type Done = (error?: Error | null) => void;

/** Bytes of one turn after which it is written early, so that the data stays in the processor's cache. */
const TURN_BYTES = 256 * 1024;
/** Usually enough for what queues on a slow transport; the stream itself joins more, in fresh memory. */
const BUFFER_BYTES = 1280 * 1024;
/** Buffers kept for reuse; a transport that is behind holds one. */
const SPARE_MAX = 4;
const spare: Buffer[] = [];
/** A piece of this size or more is a whole encrypted packet that only this stream uses. */
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

/** For sockets only: other streams may keep a buffer after its write has completed. */
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
