/**
 * One way out: a socket, and what waits there to be read, counted for itself, for the peer whose it is, and in
 * the sum of all.
 *
 * @module
 */
import type { PeerId } from "../../wire/units.ts";

/** What waits for some readers together. */
export interface Waiting {
  bytes: number;
  readonly bytesMax: number;
  /** What this is one peer's share of: its bound counts once half of the whole is taken. */
  readonly whole?: Waiting;
}

/** Part of all that may wait which one peer may have once that becomes scarce. */
const SHARE = 1 / 16;

/** What waits for each peer, for as long as it has a socket here. */
export class Shares {
  readonly #whole: Waiting;
  readonly #open = new Map<PeerId, { readonly waiting: Waiting; sockets: number }>();

  constructor(whole: Waiting) {
    this.#whole = whole;
  }

  /** A socket of this peer opens. */
  enter(peerId: PeerId): Waiting {
    const whole = this.#whole;
    const share = this.#open.get(peerId) ?? {
      waiting: { bytes: 0, bytesMax: whole.bytesMax * SHARE, whole },
      sockets: 0,
    };
    share.sockets += 1;
    this.#open.set(peerId, share);
    return share.waiting;
  }

  /** A socket of this peer is gone; nothing waits there any more. */
  leave(peerId: PeerId): void {
    const share = this.#open.get(peerId);
    if (share === undefined) return;
    share.sockets -= 1;
    if (share.sockets === 0) this.#open.delete(peerId);
  }
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
    const { whole = this.#waiting } = this.#waiting;
    if (this.#waitingBytes + bytes > this.#bytesMax || whole.bytes + bytes > whole.bytesMax) return false;
    const isScarce = whole.bytes > whole.bytesMax / 2;
    return !isScarce || this.#waiting.bytes + bytes <= this.#waiting.bytesMax;
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
    const more = waitingBytes - this.#waitingBytes;
    this.#waiting.bytes += more;
    if (this.#waiting.whole !== undefined) this.#waiting.whole.bytes += more;
    this.#waitingBytes = waitingBytes;
  }
}
