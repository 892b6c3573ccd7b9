/**
 * The queue of events to be written to a spool. All waiting events are written together, with one wait for
 * the disk.
 *
 * @module
 */
import type { QfError } from "../base/errors.ts";
import type { AgentEventBody } from "../wire/audit-event.ts";
import type { Owner } from "./spool-shares.ts";

/** An event that is not stored yet, and its waiting caller. */
export interface Waiting {
  readonly body: AgentEventBody;
  readonly owner: Owner;
  readonly bytes: number;
  readonly json: string;
  readonly atMs: number;
  resolve(): void;
  reject(error: QfError): void;
}

/** Longest time that an event which permits nothing waits to be written with others. */
const END_WAITS_MS = 50;

export class SpoolQueue {
  readonly #onDue: () => void;
  #waiting: Waiting[] = [];
  #isDue = false;
  /** Runs while no waiting event is urgent. */
  #soon: NodeJS.Timeout | null = null;
  bytes = 0;

  /** `onDue` is called when the queue must be stored: at once, or shortly after an end event was added. */
  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Whether a waiting event must be stored now. */
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

  /** Makes all waiting events due now. */
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

/** Whether the event permits nothing, so that nothing waits for it. There may be hundreds a second. */
function isUnhurried({ type }: AgentEventBody): boolean {
  return type === "forward.close" || type === "connection.close";
}
