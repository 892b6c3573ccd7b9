/**
 * Paces the drawing of output. Small amounts are drawn at once and floods in larger steps, so that the page
 * spends its time on parsing instead of painting unreadable lines.
 *
 * xterm.js yields for a frame between two writes once they have taken 12 ms, so a flood is passed on in few
 * large writes.
 *
 * @module
 */
import { type Bytes, concat } from "../../browser-ssh/bytes.ts";

/** More bytes than this within one step are a flood. */
const FLOOD_BYTES = 64 * 1024;
/** Longest wait of output in a flood that brings less than a whole write. */
const STEP_MS = 50;
/**
 * A whole write, passed on as soon as it is there, so that the window reopens before all of it is used. It is
 * parsed in about 10 ms, during which no key is handled.
 */
const WRITE_BYTES = 512 * 1024;

type Held = readonly [bytes: Bytes, drawn: (() => void) | undefined];

interface PaceParts {
  write(bytes: Bytes, drawn: (() => void) | undefined): void;
  nowMs(): number;
  /** Calls `work` after `ms`. */
  later(work: () => void, ms: number): void;
}

export class OutputPace {
  readonly #parts: PaceParts;
  readonly #held: Held[] = [];
  #heldBytes = 0;
  #isTimed = false;
  #stepEndsMs = 0;
  #bytes = 0;

  constructor(parts: PaceParts) {
    this.#parts = parts;
  }

  /** Queues or draws bytes. The channel's window bounds the queue; `drawn` reopens the window. */
  write(bytes: Bytes, drawn?: () => void): void {
    const now = this.#parts.nowMs();
    if (this.#held.length === 0 && now >= this.#stepEndsMs) {
      this.#stepEndsMs = now + STEP_MS;
      this.#bytes = 0;
    }
    this.#bytes += bytes.length;
    if (this.#held.length === 0 && this.#bytes <= FLOOD_BYTES) {
      this.#parts.write(bytes, drawn);
      return;
    }
    this.#held.push([bytes, drawn]);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= WRITE_BYTES) this.flush();
    else this.#wait();
  }

  /** Draws the queued output. */
  flush(): void {
    if (this.#held.length === 0) return;
    // A flood continues until a step brings little.
    this.#stepEndsMs = this.#parts.nowMs() + STEP_MS;
    this.#bytes = this.#heldBytes;
    this.#heldBytes = 0;
    this.#write(this.#held.splice(0));
  }

  /** One timer at a time. It waits on if a whole write was passed on meanwhile. */
  #wait(): void {
    if (this.#isTimed) return;
    this.#isTimed = true;
    const work = (): void => {
      this.#isTimed = false;
      if (this.#held.length === 0) return;
      if (this.#parts.nowMs() < this.#stepEndsMs) this.#wait();
      else this.flush();
    };
    this.#parts.later(work, Math.max(0, this.#stepEndsMs - this.#parts.nowMs()));
  }

  #write(gathered: readonly Held[]): void {
    this.#parts.write(concat(...gathered.map(([bytes]) => bytes)), () => {
      for (const [, drawn] of gathered) drawn?.();
    });
  }
}
