/**
 * Streams to stdout and stderr of this process that lose no byte at its end.
 *
 * In Bun 1.4.5 `process.stdout` can report a pipe as drained while its last block is still queued, and
 * `process.exit` then drops that block. These streams wait for the descriptor itself.
 *
 * @module
 */
import { Writable } from "node:stream";

/**
 * A stream to descriptor 1 or 2. A write completes once the kernel has the data, and fails with EPIPE when
 * the reader is gone.
 */
export function openOutput(fd: 1 | 2): Writable {
  const sink = Bun.file(fd).writer();
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      handOver(sink, chunk).then(() => done(), done);
    },
  });
}

async function handOver(sink: Bun.FileSink, chunk: Buffer): Promise<void> {
  await sink.write(chunk);
  await sink.flush();
}
