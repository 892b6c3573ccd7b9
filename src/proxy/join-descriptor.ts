/**
 * Joins a stream and the bare descriptor of an open socket until both end.
 *
 * Back-pressure works both ways. The socket is a Bun socket: it writes to the kernel at once, so no bytes are
 * left when this process exits.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { adoptSocket } from "../base/adopt-socket.ts";
import { releaseBuffer } from "../base/release-buffer.ts";
import { RELAY_FRAME_HEADER_BYTES } from "../wire/relay.ts";

/** From this size on, freeing memory at once pays off. */
const LARGE_BYTES = 8 * 1024;

/** Resolves once the stream has ended and all of it is written, or the socket is gone. Takes over `fd`. */
export function joinDescriptor(stream: Duplex, fd: number): Promise<void> {
  return new Promise((resolve) => {
    let socket: Bun.Socket | null = null;
    let unsent: Buffer | null = null;
    let isOver = false;
    const finish = (): void => {
      socket?.end();
      resolve();
    };
    const gone = (): void => {
      stream.destroy();
      resolve();
    };
    const flush = (): void => {
      if (socket === null) return;
      if (unsent !== null) {
        const count = socket.write(unsent);
        if (count < 0) {
          gone();
          return;
        }
        if (count >= unsent.length) {
          if (unsent.length >= LARGE_BYTES) releaseBuffer(unsent, RELAY_FRAME_HEADER_BYTES);
          unsent = null;
        } else unsent = unsent.subarray(count);
      }
      if (unsent !== null) stream.pause();
      else if (isOver) finish();
      else stream.resume();
    };
    const over = (): void => {
      isOver = true;
      if (unsent === null || socket === null) finish();
    };
    stream.on("error", () => {});
    stream.on("data", (data: Buffer) => {
      unsent = unsent === null ? data : Buffer.concat([unsent, data]);
      flush();
    });
    stream.once("end", over).once("close", over);
    stream.on("drain", () => socket?.resume());
    adoptSocket(fd, {
      data: (from, data) => {
        if (!stream.destroyed && !stream.write(data)) from.pause();
      },
      drain: flush,
      end: () => void stream.end(),
      close: gone,
      error: gone,
    }).then((opened) => {
      socket = opened;
      flush();
    }, gone);
  });
}
