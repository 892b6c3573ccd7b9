/**
 * The sending side of one relay socket. Bytes that wait for a slow reader are counted for the socket, for its
 * peer, and for all sockets together.
 *
 * @module
 */
import { type RelayReset, resetFrame } from "../../wire/relay.ts";
import type { PeerId } from "../../wire/units.ts";

/** Bytes that wait for several readers together, and their bound. */
export interface Waiting {
  bytes: number;
  readonly bytesMax: number;
  /**
   * The total that this is one peer's share of. The share's bound applies only while over half of the total
   * is used.
   */
  readonly whole?: Waiting;
}

/** One peer's share of the total once that is scarce. */
const SHARE = 1 / 16;

/** The share of each peer that has a socket here. */
export class PeerBudget {
  readonly #whole: Waiting;
  readonly #open = new Map<PeerId, { readonly waiting: Waiting; sockets: number }>();

  constructor(whole: Waiting) {
    this.#whole = whole;
  }

  /** Call when a socket of this peer opens. */
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

  /** Call when a socket of this peer has closed and nothing waits there any more. */
  leave(peerId: PeerId): void {
    const share = this.#open.get(peerId);
    if (share === undefined) return;
    share.sockets -= 1;
    if (share.sockets === 0) this.#open.delete(peerId);
  }
}

/** The part of a WebSocket that a send queue needs. */
export interface QueueSocket {
  /** Whether frames are kept after `send`, which then must not release them. Absent: copied. */
  readonly keepsFrames?: boolean;
  readonly readyState: number;
  send(frame: Buffer): unknown;
  close(): void;
  terminate(): void;
  /** Bytes sent but not yet accepted by the system. */
  getBufferedAmount(): number;
}

/** Time for the other end to read why the socket is closed. */
const LINGER_MS = 1_000;

export class SendQueue {
  readonly #socket: QueueSocket;
  readonly #waiting: Waiting;
  readonly #bytesMax: number;
  #waitingBytes = 0;

  /** `bytesMax`: most bytes that may wait at this socket. */
  constructor(socket: QueueSocket, waiting: Waiting, bytesMax: number) {
    this.#socket = socket;
    this.#waiting = waiting;
    this.#bytesMax = bytesMax;
  }

  /** Whether a frame may be released once it is sent. */
  get copies(): boolean {
    return this.#socket.keepsFrames !== true;
  }

  /** Bytes that wait to be read, as last counted. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Whether at least half of `bytesMax` waits. */
  get isCrowded(): boolean {
    return this.#waitingBytes >= this.#bytesMax / 2;
  }

  /** Whether `bytes` more may wait here, by all three bounds. */
  canSend(bytes: number): boolean {
    const { whole = this.#waiting } = this.#waiting;
    if (this.#waitingBytes + bytes > this.#bytesMax || whole.bytes + bytes > whole.bytesMax) return false;
    const isScarce = whole.bytes > whole.bytesMax / 2;
    return !isScarce || this.#waiting.bytes + bytes <= this.#waiting.bytesMax;
  }

  /** Sends a frame; call `canSend` before. Does nothing once the socket is closing. */
  send(frame: Buffer): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(frame);
    this.count();
  }

  /** Counts again what waits. Call when the socket has drained. */
  count(): void {
    this.#note(this.#socket.getBufferedAmount());
  }

  /** Call when the socket has closed: nothing waits any more. */
  closed(): void {
    this.#note(0);
  }

  close(): void {
    this.#socket.close();
  }

  /** Closes after the other end had time to read what was sent, and cuts it off if it does not answer. */
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

/** Closes a client's own socket, and says why. */
export function turnAway(sendQueue: SendQueue, reset: RelayReset): void {
  sendQueue.send(resetFrame(0, reset));
  sendQueue.close();
}
