/**
 * A socket here and a channel of the connection, as one stream: back-pressure and half-close both ways.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { Channel } from "ssh2";

/** Joins them until both have ended; resolves then. `socket` must allow half-open. */
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
  // It closes as well, and what it said before is still delivered.
  socket.on("error", () => {});
  socket.once("close", () => {
    channel.end(() => channel.close());
    // What still comes has nowhere to go.
    channel.resume();
  });
  // All that came is written first; then nobody listens on the other side any more.
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
