/**
 * A unix socket as the two byte streams of a child that answers small requests. Bun reads sockets into reused
 * memory, but pipes into fresh memory of the pipe's full capacity.
 *
 * Only for our own programs. User programs get pipes, as under sshd, because they may open /dev/stdout.
 *
 * @module
 */
import { closeSync } from "node:fs";
import { adoptSocket } from "../../base/adopt-socket.ts";
import { openStreamSocket } from "../../base/descriptors.ts";
import { duplicate } from "./libc.ts";
import { widenSocket } from "./native.ts";
import type { FdReader, FdWriter } from "./pipes.ts";

/** Most bytes from the child that wait to be read. */
const HELD_BYTES_MAX = 512 * 1024;

/**
 * Bytes that may wait for the child: two of SFTP's largest packets, so that one is in transit while the next
 * is decrypted. A larger buffer for its answers brings nothing.
 */
const ROOM_BYTES = 512 * 1024;

/** Our two ends, and the child's descriptors for stdin and stdout. Close those here once it has them. */
export function openSocketEnds(): {
  reader: FdReader;
  writer: FdWriter;
  childFds: readonly [number, number];
} {
  const [ownFd, childFd] = openStreamSocket();
  widenSocket(ownFd, ROOM_BYTES);
  try {
    const childFds = [childFd, duplicate(childFd)] as const;
    return { ...createSocketEnds(ownFd), childFds };
  } catch (cause) {
    for (const fd of [ownFd, childFd]) closeSync(fd);
    throw cause;
  }
}

/** Both directions of connected socket `fd`, which is taken over. Closing the reader ends both. */
export function createSocketEnds(fd: number): { reader: FdReader; writer: FdWriter } {
  const ends = new SocketEnds(fd);
  return {
    reader: { read: () => ends.read(), close: () => ends.cut() },
    writer: { write: (data) => ends.write(data), close: () => ends.finish() },
  };
}

class SocketEnds {
  #socket: Bun.Socket | null = null;
  readonly #held: Uint8Array[] = [];
  #heldBytes = 0;
  #isPaused = false;
  #take: ((data: Uint8Array | null) => void) | null = null;
  /** Data that the kernel has not taken yet, and the caller that waits for it. */
  #unsent: Uint8Array | null = null;
  #settle: { resolve(): void; reject(error: Error): void } | null = null;
  /** We have finished writing; below, the child has. */
  #isFinished = false;
  #isEnded = false;
  #isCut = false;

  constructor(fd: number) {
    adoptSocket(fd, {
      open: (socket) => this.#onOpen(socket),
      data: (_socket, data) => this.#onData(data),
      drain: () => this.#flush(),
      end: () => this.#onEnd(),
      close: () => this.#onGone(),
      error: () => this.#onGone(),
    }).then(
      (socket) => this.#onOpen(socket),
      () => this.#onGone(),
    );
  }

  read(): Promise<Uint8Array | null> {
    const data = this.#held.shift();
    if (data === undefined) {
      if (this.#isEnded || this.#isCut) return Promise.resolve(null);
      return new Promise((resolve) => {
        this.#take = resolve;
      });
    }
    this.#heldBytes -= data.length;
    if (this.#isPaused && this.#heldBytes < HELD_BYTES_MAX / 2) {
      this.#isPaused = false;
      this.#socket?.resume();
    }
    return Promise.resolve(data);
  }

  write(data: Uint8Array): Promise<void> | null {
    if (this.#isCut || this.#isFinished) return Promise.reject(new Error("the stream is closed"));
    this.#unsent = data;
    this.#flush();
    if (this.#unsent === null) return null;
    if (this.#isCut) return Promise.reject(new Error("nobody reads the stream"));
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  /** Ends our output. The child's output is still read. */
  finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#flush();
  }

  cut(): void {
    if (this.#isCut) return;
    this.#onGone();
    this.#socket?.terminate();
  }

  #onOpen(socket: Bun.Socket): void {
    if (this.#socket !== null) return;
    this.#socket = socket;
    if (this.#isCut) socket.terminate();
    else this.#flush();
  }

  #onData(data: Buffer): void {
    if (this.#isCut) return;
    if (this.#take !== null) {
      this.#give(data);
      return;
    }
    this.#held.push(data);
    this.#heldBytes += data.length;
    if (this.#isPaused || this.#heldBytes < HELD_BYTES_MAX) return;
    this.#isPaused = true;
    this.#socket?.pause();
  }

  #flush(): void {
    const socket = this.#socket;
    if (socket === null || this.#isCut) return;
    if (this.#unsent !== null) {
      const count = socket.write(this.#unsent);
      if (count < 0) {
        this.cut();
        return;
      }
      this.#unsent = count >= this.#unsent.length ? null : this.#unsent.subarray(count);
      if (this.#unsent !== null) return;
      const settle = this.#settle;
      this.#settle = null;
      settle?.resolve();
    }
    if (this.#isFinished) socket.shutdown();
  }

  #onEnd(): void {
    this.#isEnded = true;
    this.#give(null);
  }

  #onGone(): void {
    this.#isCut = true;
    this.#isEnded = true;
    this.#give(null);
    const settle = this.#settle;
    this.#settle = null;
    settle?.reject(new Error("nobody reads the stream"));
  }

  #give(data: Uint8Array | null): void {
    const take = this.#take;
    this.#take = null;
    take?.(data);
  }
}
