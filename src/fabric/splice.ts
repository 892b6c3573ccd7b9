/**
 * Relays bytes between a stream and our stdin and stdout, for a client that cannot take a descriptor.
 *
 * Each direction ends on its own and has back-pressure.
 *
 * @module
 */

import type { Duplex, Readable, Writable } from "node:stream";

/** Resolves once both directions have ended, or the connection is gone. */
export async function splice(socket: Duplex, input: Readable, output: Writable): Promise<void> {
  const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {});
  input.on("error", () => socket.destroy());
  output.on("error", () => socket.destroy());
  input.pipe(socket); // Ends the socket's writing half with the input.
  const answered = new Promise<void>((resolve) => {
    socket.on("end", () => resolve());
    socket.pipe(output, { end: false });
  });
  await Promise.race([gone, answered]);
  if (output.writableLength > 0 && !output.destroyed) {
    // Flush what was read, while the reader is still there.
    await new Promise<void>((resolve) => {
      output.once("close", () => resolve());
      output.write("", () => resolve());
    });
  }
  input.unpipe(socket);
}
