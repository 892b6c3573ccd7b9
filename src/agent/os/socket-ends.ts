/**
 * A unix socket as the two byte streams of a child that answers small requests: Bun reads a socket into
 * memory that it uses again, and a pipe into as much fresh memory as the pipe could hold.
 *
 * For our own programs only. What a person starts gets pipes, as from sshd: it may open /dev/stdout.
 *
 * @module
 */
import { closeSync } from "node:fs";
import { adoptSocket } from "../../base/adopt-socket.ts";
import { openStreamSocket } from "../../base/descriptors.ts";
import { duplicate } from "./libc.ts";
import { widenSocket } from "./native.ts";
import type { FdReader, FdWriter } from "./pipes.ts";

/** Bytes from the child that may wait to be read here. */
const HELD_BYTES_MAX = 512 * 1024;

/**
 * What may wait for the child: two of the largest packets of SFTP, so that one is on its way while the next
 * is decrypted. More room for its answers makes nothing faster.
 */
const ROOM_BYTES = 512 * 1024;

/**
 * Our two ends, and a descriptor each for stdin and stdout of the child, to be closed here once it has them.
 */
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

/** Both directions of the connected socket `fd`, which is taken over. Reading no more ends both. */
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
  /** What the kernel has not taken yet, and whom to tell once it has. */
  #unsent: Uint8Array | null = null;
  #settle: { resolve(): void; reject(error: Error): void } | null = null;
  /** We send no more; the child sends no more. */
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

  /** No more comes from us; what the child still sends is read. */
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
