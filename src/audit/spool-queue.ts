/**
 * The queue of events on their way into a spool. All that wait are written together, and wait
 * for the disk once.
 *
 * @module
 */
import type { QfError } from "../base/errors.ts";
import type { AgentEventBody } from "../wire/audit-event.ts";
import type { Owner } from "./spool-shares.ts";

/** An event that is not stored yet, and the caller that waits for it. */
export interface Waiting {
  readonly body: AgentEventBody;
  readonly owner: Owner;
  readonly bytes: number;
  readonly json: string;
  readonly atMs: number;
  resolve(): void;
  reject(error: QfError): void;
}

/** Longest that an event which permits nothing waits for others. */
const END_WAITS_MS = 50;

export class SpoolQueue {
  readonly #onDue: () => void;
  #waiting: Waiting[] = [];
  #isDue = false;
  /** Runs while nothing that waits is urgent. */
  #soon: NodeJS.Timeout | null = null;
  bytes = 0;

  /** `onDue` is called when the queue has to be stored: at once, or a moment after an end was added. */
  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Whether an event waits that has to be stored now. */
  get isDue(): boolean {
    return this.#isDue;
  }

  add(event: Waiting): void {
    this.#waiting.push(event);
    this.bytes += event.bytes;
    if (!isUnhurried(event.body)) this.#due();
    else if (!this.#isDue) this.#soon ??= setTimeout(() => this.#due(), END_WAITS_MS);
  }

  /** Takes all events out of the queue, in their order. */
  take(): Waiting[] {
    const events = this.#waiting;
    this.#waiting = [];
    this.bytes = 0;
    this.#isDue = false;
    this.#stopTimer();
    return events;
  }

  /** Makes all that wait due now. */
  hurry(): void {
    if (this.#waiting.length > 0) this.#due();
  }

  #due(): void {
    this.#isDue = true;
    this.#stopTimer();
    this.#onDue();
  }

  #stopTimer(): void {
    if (this.#soon !== null) clearTimeout(this.#soon);
    this.#soon = null;
  }
}

/** Whether the event permits nothing and nothing waits for it. There may be hundreds of these in a second. */
function isUnhurried({ type }: AgentEventBody): boolean {
  return type === "forward.close" || type === "connection.close";
}
