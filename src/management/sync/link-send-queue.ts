/**
 * Send queue of one agent's control link. Bounds how much may wait unread on its socket.
 *
 * A slow agent gets time to catch up and no maps meanwhile. If it does not catch up, its link ends.
 *
 * @module
 */
import type { ServerWebSocket } from "bun";

/** Bytes not yet read by the agent above which no maps are sent until it has caught up. */
const UNREAD_BYTES_MAX = 1024 * 1024;
/** How long an agent may take to catch up before its link is dropped. */
const SLOW_MS_MAX = 30_000;

/** The part of a WebSocket that a send queue needs. */
export type QueueSocket = Pick<ServerWebSocket<unknown>, "send" | "getBufferedAmount" | "close">;

/** `flowing`: the agent reads. `slow`: too much waits for it. `closed`: nothing is sent any more. */
export type SendQueueState = "flowing" | "slow" | "closed";

export class LinkSendQueue {
  readonly #socket: QueueSocket;
  readonly #onTooSlow: () => void;
  #state: SendQueueState = "flowing";
  #slowTimer: ReturnType<typeof setTimeout> | undefined;

  /** `onTooSlow` is called when the link must end: the agent does not catch up, or a message was dropped. */
  constructor(socket: QueueSocket, onTooSlow: () => void) {
    this.#socket = socket;
    this.#onTooSlow = onTooSlow;
  }

  get state(): SendQueueState {
    return this.#state;
  }

  /** Sends `text`, also to a slow agent. Does nothing once closed. */
  send(text: string): void {
    if (this.#state === "closed") return;
    // 0: dropped by the socket's own bound. What follows would build on what is missing.
    if (this.#socket.send(text) === 0) {
      this.#onTooSlow();
      return;
    }
    if (this.#state === "slow" || this.#socket.getBufferedAmount() <= UNREAD_BYTES_MAX) return;
    this.#state = "slow";
    this.#slowTimer = setTimeout(this.#onTooSlow, SLOW_MS_MAX);
  }

  /** Call when the agent has read some of the data. True: it was slow and has caught up. */
  drained(): boolean {
    if (this.#state !== "slow" || this.#socket.getBufferedAmount() > UNREAD_BYTES_MAX) return false;
    this.#state = "flowing";
    clearTimeout(this.#slowTimer);
    return true;
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#slowTimer);
    this.#socket.close();
  }
}
