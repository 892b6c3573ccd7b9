/**
 * Joins a local socket and a channel, with back-pressure and half-close in both directions.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { Channel } from "ssh2";

/** Joins them and resolves when both have ended. `socket` must allow half-open. */
export function joinStreams(socket: Duplex, channel: Channel): Promise<void> {
  let isSocketOver = false;
  let isChannelOver = false;
  const closeWhenOver = (): void => {
    if (isSocketOver && isChannelOver) channel.close();
  };
  socket.once("end", () => {
    isSocketOver = true;
    closeWhenOver();
  });
  channel.once("end", () => {
    isChannelOver = true;
    closeWhenOver();
  });
  // `close` follows, and data received before is still delivered.
  socket.on("error", () => {});
  socket.once("close", () => {
    channel.end(() => channel.close());
    // Discard further data.
    channel.resume();
  });
  // Everything received is written first; after that the other side no longer reads.
  const closed = new Promise<void>((resolve) => {
    channel.once("close", () => {
      socket.end(() => socket.destroy());
      resolve();
    });
  });
  channel.on("error", () => socket.destroy());
  socket.pipe(channel);
  channel.pipe(socket);
  return closed;
}
