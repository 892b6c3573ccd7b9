/**
 * A connection to a local unix socket as a stream that loses none of the server's output, even if the server
 * answers and closes at once or leaves our data unread.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { adoptSocket } from "../base/adopt-socket.ts";
import { connectUnix } from "../base/unix-connect.ts";

/** Connects within `timeoutMs`. Each direction may end on its own. Throws the system's error. */
export async function openUnixSocket(path: string, timeoutMs: number): Promise<Duplex> {
  if (process.platform !== "linux") return connected(connect({ path, allowHalfOpen: true }));
  return new UnixStream(await connectUnix(path, timeoutMs));
}

/** Resolves once it is connected. */
export function connected(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/**
 * A stream over a connected descriptor, which it takes over. Ends with `end` and `close`, never with an
 * error.
 */
class UnixStream extends Duplex {
  #socket: Bun.Socket | null = null;
  /** Bytes that the kernel has not accepted yet, and the callback for when it has. */
  #unsent: Uint8Array | null = null;
  #onSent: (() => void) | null = null;
  #isGone = false;
  /** The server has stopped reading; writes are discarded. */
  #isUnread = false;

  constructor(fd: number) {
    super({ allowHalfOpen: true });
    // If the server no longer reads, the stream is over once its data has been read.
    this.once("end", () => {
      if (this.#isUnread) this.destroy();
    });
    adoptSocket(fd, {
      open: (socket) => this.#onOpen(socket),
      data: (socket, data) => {
        if (!this.push(data)) socket.pause();
      },
      drain: () => this.#flush(),
      end: () => this.#onEnd(),
      close: () => this.#onGone(),
      error: () => this.#onGone(),
    }).then(
      (socket) => this.#onOpen(socket),
      () => this.#onGone(),
    );
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(data: Uint8Array, _encoding: string, done: () => void): void {
    if (this.#isUnread) {
      done();
      return;
    }
    this.#unsent = data;
    this.#onSent = done;
    this.#flush();
  }

  override _final(done: () => void): void {
    this.#socket?.shutdown();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#isUnread = true;
    this.#sent();
    this.#socket?.terminate();
    done(error);
  }

  #onOpen(socket: Bun.Socket): void {
    if (this.#socket !== null) return;
    this.#socket = socket;
    if (this.destroyed) {
      socket.terminate();
      return;
    }
    this.#flush();
    if (this.writableFinished) socket.shutdown();
  }

  #flush(): void {
    if (this.#socket === null || this.#unsent === null) return;
    const count = this.#socket.write(this.#unsent);
    if (count < 0) {
      this.#isUnread = true;
      this.#sent();
      if (this.readableEnded) this.destroy();
    } else if (count === this.#unsent.length) this.#sent();
    else this.#unsent = this.#unsent.subarray(count);
  }

  #sent(): void {
    const done = this.#onSent;
    this.#unsent = null;
    this.#onSent = null;
    done?.();
  }

  #onEnd(): void {
    if (!this.#isGone) this.push(null);
    this.#isGone = true;
  }

  /** Who still writes learns of it from that; who does not may end in good order. */
  #onGone(): void {
    this.#onEnd();
    this.#flush();
  }
}
