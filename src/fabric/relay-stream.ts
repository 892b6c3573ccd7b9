/**
 * An end of a relayed stream: a Duplex over frames with credit-based flow control.
 *
 * It sends no more than the other end has granted, and grants no more than it will buffer, so that a slow
 * reader costs at most one window (`relay-window.ts`). Read `receive` for incoming frames and `#flush` for
 * outgoing ones. Frames are in `wire/relay.ts`.
 *
 * @module
 */

import { Duplex } from "node:stream";
import { QfError } from "../base/errors.ts";
import {
  creditFrame,
  encodeRelayFrame,
  RELAY_CREDIT_INITIAL,
  RELAY_CREDIT_MAX,
  RELAY_DATA_BYTES_MAX,
  RELAY_FRAME,
  RELAY_FRAME_HEADER_BYTES,
  type RelayFrame,
  type RelayReset,
  resetFrame,
  resetOf,
} from "../wire/relay.ts";
import type { RelayStreamOptions } from "./relay-stream-options.ts";
import { RelayWindow } from "./relay-window.ts";

/** Bytes gathered in one turn of the event loop before the writer must wait. */
const GATHERED_BYTES_MAX = 256 * 1024;
/** Frame buffer for when `send` copies: allocating each frame would cost more than the copy. */
const scratch = Buffer.alloc(RELAY_FRAME_HEADER_BYTES + RELAY_DATA_BYTES_MAX);

export class RelayStream extends Duplex {
  readonly #options: RelayStreamOptions;
  /** Bytes that this end may still send. */
  #credit = RELAY_CREDIT_INITIAL;
  /** Bytes that the other end may still send. */
  #granted = RELAY_CREDIT_INITIAL;
  #receivedBytes = 0;
  readonly #window = new RelayWindow();
  /** Received data not yet passed to the reader. */
  readonly #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isWanted = false;
  #hasEnded = false;
  /** When our first data was sent, and how long the first data after it took to arrive. */
  #sentAtMs: number | null = null;
  #roundTripMs: number | null = null;
  /** The other end is gone: nothing more is sent. */
  #isGone = false;
  readonly #outgoing: Buffer[] = [];
  #outgoingBytes = 0;
  #isGathering = false;
  #onWritten: ((error?: Error | null) => void) | null = null;
  #onFinished: ((error?: Error | null) => void) | null = null;
  #hasFinished = false;

  constructor(options: RelayStreamOptions) {
    // As with our TCP sockets, the end of one direction ends the other once written data is sent.
    super({ allowHalfOpen: false });
    this.#options = options;
  }

  /** Milliseconds from our first bytes to the first bytes received after them. Null: none yet. */
  get roundTripMs(): number | null {
    return this.#roundTripMs;
  }

  /** Handles a frame of this stream. An invalid frame ends the stream. */
  receive(frame: RelayFrame): void {
    if (this.destroyed) return;
    if (frame.type === RELAY_FRAME.data) this.#onData(frame.payload);
    else if (frame.type === RELAY_FRAME.credit) this.#onCredit(frame.payload.readUInt32BE(0));
    else if (frame.type === RELAY_FRAME.eof) this.#onEnd();
    else if (frame.type === RELAY_FRAME.reset) this.cut(resetOf(frame));
    else this.#violated();
  }

  /** Ends the stream because the other end or the socket is gone. Data before an eof can still be read. */
  cut(reason: RelayReset | "lost"): void {
    const wasGone = this.#isGone;
    this.#isGone = true;
    if (this.destroyed || wasGone) return;
    if (!this.#hasEnded) this.destroy(lost(reason));
    else if (this.readableEnded) this.destroy();
    else this.once("end", () => this.destroy());
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#gather(chunk);
    this.#onWritten = done;
    this.#release();
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    for (const { chunk } of chunks) this.#gather(chunk);
    this.#onWritten = done;
    this.#release();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#onFinished = done;
    this.#flush();
  }

  override _read(): void {
    this.#isWanted = true;
    this.#pump();
  }

  /** Grants credit for what has been read, since `_read` is not called each time. */
  override read(size?: number): Buffer | null {
    const chunk = super.read(size) as Buffer | null;
    if (chunk !== null && !this.#hasEnded) this.#grant();
    return chunk;
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // Send as much of the written data as credit allows.
    this.#flush();
    if (!this.#hasFinished || !this.#hasEnded) this.#send(resetFrame(this.#options.id, "gone"));
    this.#isGone = true;
    this.#queue.length = 0;
    this.#outgoing.length = 0;
    this.#onWritten = null;
    this.#onFinished = null;
    this.#options.onClosed?.();
    done(error);
  }

  #send(frame: Buffer): void {
    if (!this.#isGone) this.#options.send(frame);
  }

  #onData(data: Buffer): void {
    if (this.#hasEnded || data.length > this.#granted) {
      this.#violated();
      return;
    }
    if (this.#receivedBytes === 0) this.#options.onAnswer?.();
    if (this.#sentAtMs !== null && this.#roundTripMs === null) {
      this.#roundTripMs = Math.round((performance.now() - this.#sentAtMs) * 100) / 100;
    }
    this.#granted -= data.length;
    this.#receivedBytes += data.length;
    this.#queue.push(data);
    this.#queuedBytes += data.length;
    this.#pump();
  }

  #onCredit(bytes: number): void {
    this.#credit += bytes;
    if (bytes === 0 || this.#credit > RELAY_CREDIT_MAX) {
      this.#violated();
      return;
    }
    this.#flush();
  }

  #onEnd(): void {
    if (this.#hasEnded) {
      this.#violated();
      return;
    }
    this.#hasEnded = true;
    this.#pump();
  }

  #violated(): void {
    this.#send(resetFrame(this.#options.id, "violation"));
    this.#isGone = true;
    this.destroy(lost("violation"));
  }

  /** Passes data to the reader while it wants more. */
  #pump(): void {
    while (this.#isWanted) {
      const chunk = this.#queue.shift();
      if (chunk === undefined) break;
      this.#queuedBytes -= chunk.length;
      this.#isWanted = this.push(chunk);
    }
    if (this.#hasEnded) {
      if (this.#isWanted && this.#queue.length === 0) {
        this.#isWanted = false;
        this.push(null);
      }
      return;
    }
    this.#grant();
  }

  /** Tops up credit to the window in steps of a quarter, to avoid a grant per frame. */
  #grant(): void {
    const unreadBytes = this.#queuedBytes + this.readableLength;
    const most = this.#options.windowBytes?.() ?? RELAY_CREDIT_MAX;
    const window = this.#window.bytes(this.#receivedBytes - unreadBytes, performance.now(), most);
    const more = window - this.#granted - unreadBytes;
    if (more < window / 4) return;
    this.#granted += more;
    this.#send(creditFrame(this.#options.id, more));
  }

  /**
   * ssh2 writes a packet in pieces, so the writes of one event loop turn are sent in as few frames as
   * possible.
   */
  #gather(chunk: Buffer): void {
    if (chunk.length > 0) this.#outgoing.push(chunk);
    this.#outgoingBytes += chunk.length;
    if (this.#isGathering) return;
    this.#isGathering = true;
    queueMicrotask(() => {
      this.#isGathering = false;
      this.#flush();
    });
  }

  #flush(): void {
    // The receiver is gone; the data stays here until the stream is destroyed.
    if (this.#isGone) return;
    while (this.#outgoing.length > 0 && this.#credit > 0) this.#sendData();
    this.#release();
    if (this.#outgoing.length > 0 || this.#onFinished === null) return;
    this.#hasFinished = true;
    this.#send(encodeRelayFrame(RELAY_FRAME.eof, this.#options.id));
    const done = this.#onFinished;
    this.#onFinished = null;
    done();
  }

  /** Resumes the writer when there is room. */
  #release(): void {
    if (this.#outgoingBytes > GATHERED_BYTES_MAX) return;
    const done = this.#onWritten;
    this.#onWritten = null;
    done?.();
  }

  /** Sends one frame, as large as data, credit and frame size allow. */
  #sendData(): void {
    this.#sentAtMs ??= performance.now();
    const length = Math.min(this.#outgoingBytes, this.#credit, RELAY_DATA_BYTES_MAX);
    const frameBytes = RELAY_FRAME_HEADER_BYTES + length;
    const frame = this.#options.sendsCopy ? scratch.subarray(0, frameBytes) : Buffer.allocUnsafe(frameBytes);
    frame[0] = RELAY_FRAME.data;
    frame.writeUInt32BE(this.#options.id, 1);
    for (let at = RELAY_FRAME_HEADER_BYTES; at < frame.length; ) {
      const [chunk] = this.#outgoing;
      if (chunk === undefined) break;
      const part = chunk.subarray(0, frame.length - at);
      frame.set(part, at);
      at += part.length;
      if (part.length === chunk.length) this.#outgoing.shift();
      else this.#outgoing[0] = chunk.subarray(part.length);
    }
    this.#outgoingBytes -= length;
    this.#credit -= length;
    this.#options.send(frame);
  }
}

/** Messages for people, for each way a stream can be lost. */
export const RELAY_LOSSES: Readonly<Record<RelayReset | "lost", string>> = {
  gone: "the peer closed the connection",
  refused: "the relay does not let this device reach the peer",
  absent: "the peer is not connected to the relay",
  limit: "the relay has no room for this connection",
  violation: "the connection through the relay broke",
  closing: "the relay is restarting; the connection through it is gone",
  unproven: "the relay does not know this device",
  broken: "the relay has lost its way to the peer",
  signed_out: "the session of the dashboard is over",
  lost: "the connection to the relay was lost",
};

function lost(reason: RelayReset | "lost"): QfError {
  return new QfError("ERR_PEER_UNREACHABLE", RELAY_LOSSES[reason], {
    hint: HINTS[reason] ?? "try again; qf ssh -v says which path is used",
  });
}

const HINTS: Readonly<Partial<Record<RelayReset | "lost", string>>> = {
  gone: "check with qf ping: a policy must let this device reach the peer, and both clocks must agree",
  refused: "a policy must let this device reach the peer, and the clocks of all must agree",
  absent: "look at qf agent status -d on the peer",
  unproven: "sign in again with qf login",
  broken: "try again in a few seconds: the peer comes back to the relay by itself",
};
