/**
 * Send queue of one agent's control link: bounds how much may wait unread on its socket.
 *
 * An agent that is slow to read gets time to catch up and no maps meanwhile. If it does not, its link ends.
 *
 * @module
 */
import type { ServerWebSocket } from "bun";

/** Bytes unread by the agent above which nothing more is sent to it until it has caught up. */
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

  /**
   * `onTooSlow` is called when the link has to end: the agent does not catch up, or a message was dropped.
   */
  constructor(socket: QueueSocket, onTooSlow: () => void) {
    this.#socket = socket;
    this.#onTooSlow = onTooSlow;
  }

  get state(): SendQueueState {
    return this.#state;
  }

  /** Sends `text`, also to an agent that is slow. Does nothing once closed. */
  send(text: string): void {
    if (this.#state === "closed") return;
    // 0: dropped by the socket's own bound. Nothing that follows would fit on what is missing.
    if (this.#socket.send(text) === 0) {
      this.#onTooSlow();
      return;
    }
    if (this.#state === "slow" || this.#socket.getBufferedAmount() <= UNREAD_BYTES_MAX) return;
    this.#state = "slow";
    this.#slowTimer = setTimeout(this.#onTooSlow, SLOW_MS_MAX);
  }

  /** The agent has read some of what was sent. True: it was slow, and has caught up. */
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
