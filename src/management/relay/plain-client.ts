/**
 * A client's end of a stream on a plain TCP connection. It speaks for the client towards the relay: it turns
 * the client's bytes into frames within the machine's credit, and grants credit for what the client has
 * taken. So a stream without frames has the same bounds as any other.
 *
 * @module
 */
import { releaseBuffer } from "../../base/release-buffer.ts";
import { RelayWindow } from "../../fabric/relay-window.ts";
import {
  creditFrame,
  encodeRelayFrame,
  RELAY_CREDIT_INITIAL,
  RELAY_CREDIT_MAX,
  RELAY_DATA_BYTES_MAX,
  RELAY_FRAME,
  RELAY_FRAME_BYTES_MAX,
  RELAY_FRAME_HEADER_BYTES,
} from "../../wire/relay.ts";
import type { QueueSocket } from "./send-queue.ts";

/** The part of a TCP connection that a client's end needs. */
export interface PlainSocket {
  /** Bytes taken. Negative: the connection is gone. */
  write(data: Uint8Array): number;
  end(): unknown;
  terminate(): void;
  pause(): unknown;
  resume(): unknown;
}

/** For every frame, since the other end's socket has copied it when it returns. Larger than any, so kept. */
const scratch = Buffer.alloc(RELAY_FRAME_BYTES_MAX + 1);
/** From this size on, freeing memory at once pays off. */
const LARGE_BYTES = 8_192;

export class PlainClient implements QueueSocket {
  readonly keepsFrames = true;
  readyState: number = WebSocket.OPEN;
  readonly #socket: PlainSocket;
  /** Takes a frame as if the client had sent it. It is overwritten afterwards. */
  readonly #deliver: (frame: Buffer) => void;
  /** Bytes that the client may still send. */
  #credit = RELAY_CREDIT_INITIAL;
  /** Bytes that the machine may still send. */
  #granted = RELAY_CREDIT_INITIAL;
  #receivedBytes = 0;
  readonly #window = new RelayWindow();
  /** Frames of data for the client; the first is written as far as `#writtenBytes`. */
  readonly #unsent: Buffer[] = [];
  #writtenBytes = RELAY_FRAME_HEADER_BYTES;
  #unsentBytes = 0;
  /** Bytes of the client that wait for credit. */
  #pending: Buffer | null = null;
  #hasClientEnded = false;
  #hasMachineEnded = false;
  #hasSentEnd = false;

  constructor(socket: PlainSocket, deliver: (frame: Buffer) => void) {
    this.#socket = socket;
    this.#deliver = deliver;
  }

  /** Takes bytes of the client. */
  receive(data: Buffer): void {
    if (this.readyState !== WebSocket.OPEN || this.#hasSentEnd) return;
    this.#pending = this.#pending === null ? data : Buffer.concat([this.#pending, data]);
    this.#forward();
  }

  /** The client sends no more. */
  ended(): void {
    this.#hasClientEnded = true;
    this.#forward();
  }

  /** The connection takes bytes again. */
  drained(): void {
    this.#write();
  }

  /** The connection is gone. */
  gone(): void {
    this.readyState = WebSocket.CLOSED;
    this.#unsent.length = 0;
    this.#unsentBytes = 0;
    this.#pending = null;
  }

  send(frame: Buffer): void {
    if (frame[0] === RELAY_FRAME.data) {
      const bytes = frame.length - RELAY_FRAME_HEADER_BYTES;
      this.#granted -= bytes;
      this.#receivedBytes += bytes;
      this.#unsentBytes += bytes;
      this.#unsent.push(frame);
      this.#write();
    } else if (frame[0] === RELAY_FRAME.credit) {
      this.#credit += frame.readUInt32BE(RELAY_FRAME_HEADER_BYTES);
      this.#forward();
    } else if (frame[0] === RELAY_FRAME.eof) {
      this.#hasMachineEnded = true;
      this.#write();
    } else if (frame[0] === RELAY_FRAME.reset) this.close();
  }

  getBufferedAmount(): number {
    return this.#unsentBytes + (this.#pending?.length ?? 0);
  }

  /** Closes once what was sent is written. */
  close(): void {
    if (this.readyState !== WebSocket.OPEN) return;
    this.readyState = WebSocket.CLOSING;
    this.#pending = null;
    this.#write();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #write(): void {
    for (let [frame] = this.#unsent; frame !== undefined; [frame] = this.#unsent) {
      const count = this.#socket.write(frame.subarray(this.#writtenBytes));
      // The connection's end is told by `gone`.
      if (count <= 0) break;
      this.#unsentBytes -= count;
      this.#writtenBytes += count;
      if (this.#writtenBytes < frame.length) break;
      this.#unsent.shift();
      this.#writtenBytes = RELAY_FRAME_HEADER_BYTES;
      if (frame.length >= LARGE_BYTES) releaseBuffer(frame);
    }
    if (this.readyState === WebSocket.OPEN) this.#grant();
    if (this.#unsent.length > 0) return;
    if (this.readyState === WebSocket.CLOSING) this.#socket.end();
    // What the machine has ended is over once it is read. Later, since this is called within that frame.
    else if (this.#hasMachineEnded) queueMicrotask(() => this.#sendEnd());
  }

  /** Tops up credit to the window in steps of a quarter, as `fabric/relay-stream.ts` does. */
  #grant(): void {
    if (this.#hasMachineEnded) return;
    const unreadBytes = this.#unsentBytes;
    const readBytes = this.#receivedBytes - unreadBytes;
    const window = this.#window.bytes(readBytes, performance.now(), RELAY_CREDIT_MAX);
    const more = window - this.#granted - unreadBytes;
    if (more < window / 4) return;
    this.#granted += more;
    this.#deliver(creditFrame(0, more));
  }

  /** Passes on what the client has sent, as far as the machine's credit goes. */
  #forward(): void {
    while (this.#pending !== null && this.#credit > 0 && this.readyState === WebSocket.OPEN) {
      const data = this.#pending;
      const length = Math.min(data.length, this.#credit, RELAY_DATA_BYTES_MAX);
      const frame = scratch.subarray(0, RELAY_FRAME_HEADER_BYTES + length);
      frame[0] = RELAY_FRAME.data;
      frame.set(length === data.length ? data : data.subarray(0, length), RELAY_FRAME_HEADER_BYTES);
      this.#credit -= length;
      this.#pending = length === data.length ? null : data.subarray(length);
      this.#deliver(frame);
    }
    if (this.readyState !== WebSocket.OPEN) return;
    if (this.#pending !== null) this.#socket.pause();
    else {
      this.#socket.resume();
      if (this.#hasClientEnded) this.#sendEnd();
    }
  }

  #sendEnd(): void {
    if (this.readyState !== WebSocket.OPEN || this.#hasSentEnd) return;
    this.#hasSentEnd = true;
    this.#pending = null;
    this.#deliver(encodeRelayFrame(RELAY_FRAME.eof, 0));
  }
}
