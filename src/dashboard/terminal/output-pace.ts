/**
 * Paces the drawing of output. Small amounts are drawn at once and floods in larger steps, so that the page
 * spends its time on parsing instead of painting unreadable lines.
 *
 * xterm.js yields for a frame between two writes once they have taken 12 ms, so a step of a flood is passed
 * on in few large writes.
 *
 * @module
 */
import { type Bytes, concat } from "../../browser-ssh/bytes.ts";

/** More bytes than this within one step are a flood. */
const FLOOD_BYTES = 64 * 1024;
/** Time between two drawings of a flood. */
const STEP_MS = 50;
/** Largest write. It is parsed in about 20 ms, during which no key is handled. */
const WRITE_BYTES_MAX = 1024 * 1024;

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
    if (this.#held.length === 1) this.#parts.later(() => this.flush(), this.#stepEndsMs - now);
  }

  /** Draws the queued output. */
  flush(): void {
    if (this.#held.length === 0) return;
    // A flood continues until a step brings little.
    this.#stepEndsMs = this.#parts.nowMs() + STEP_MS;
    this.#bytes = 0;
    let gathered: Held[] = [];
    let bytes = 0;
    for (const held of this.#held.splice(0)) {
      if (bytes + held[0].length > WRITE_BYTES_MAX && bytes > 0) {
        this.#write(gathered);
        [gathered, bytes] = [[], 0];
      }
      gathered.push(held);
      bytes += held[0].length;
      this.#bytes += held[0].length;
    }
    this.#write(gathered);
  }

  #write(gathered: readonly Held[]): void {
    this.#parts.write(concat(...gathered.map(([bytes]) => bytes)), () => {
      for (const [, drawn] of gathered) drawn?.();
    });
  }
}
