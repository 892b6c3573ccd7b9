/**
 * One way out: a socket, and what waits there to be read, counted for itself and in the sum of all.
 *
 * @module
 */

/** What waits for all readers together. */
export interface Waiting {
  bytes: number;
  readonly bytesMax: number;
}

/** The part of a WebSocket that is used. */
export interface OutletSocket {
  readonly readyState: number;
  send(frame: Buffer): unknown;
  close(): void;
  terminate(): void;
  /** Bytes sent and not yet taken by the system. */
  getBufferedAmount(): number;
}

/** A socket that was told to go gets this long to read why. */
const LINGER_MS = 1_000;

export class Outlet {
  readonly #socket: OutletSocket;
  readonly #waiting: Waiting;
  readonly #bytesMax: number;
  #waitingBytes = 0;

  /** `bytesMax` may wait here. */
  constructor(socket: OutletSocket, waiting: Waiting, bytesMax: number) {
    this.#socket = socket;
    this.#waiting = waiting;
    this.#bytesMax = bytesMax;
  }

  /** Bytes that wait to be read, as last counted. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Whether half of what may wait here does. */
  get isCrowded(): boolean {
    return this.#waitingBytes >= this.#bytesMax / 2;
  }

  hasRoom(bytes: number): boolean {
    const waiting = this.#waiting;
    return this.#waitingBytes + bytes <= this.#bytesMax && waiting.bytes + bytes <= waiting.bytesMax;
  }

  /** Sends what there is room for; the caller has asked. Nothing once the socket closes. */
  send(frame: Buffer): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(frame);
    this.count();
  }

  /** Counts anew; to be called when the socket has drained. */
  count(): void {
    this.#note(this.#socket.getBufferedAmount());
  }

  /** The socket is gone: nothing waits any more. */
  closed(): void {
    this.#note(0);
  }

  close(): void {
    this.#socket.close();
  }

  /** A closing handshake lets what was sent be read; who does not answer it is cut off. */
  closeSoon(): void {
    this.#socket.close();
    const timer = setTimeout(() => this.#socket.terminate(), LINGER_MS + this.#waitingBytes / 100);
    timer.unref();
  }

  #note(waitingBytes: number): void {
    this.#waiting.bytes += waitingBytes - this.#waitingBytes;
    this.#waitingBytes = waitingBytes;
  }
}
