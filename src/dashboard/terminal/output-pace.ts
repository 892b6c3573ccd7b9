/**
 * The pace at which output is drawn: at once while it is little, and in larger steps under a flood, so that
 * the page parses most of the time instead of painting lines that nobody can read.
 *
 * xterm.js lets a frame be painted between two writes once they have taken 12 ms. So a step of a flood is
 * given to it in few large writes.
 *
 * @module
 */
import { type Bytes, concat } from "../../browser-ssh/bytes.ts";

/** More than this within one step is a flood. */
const FLOOD_BYTES = 64 * 1024;
/** Between two drawings of a flood. */
const STEP_MS = 50;
/** Most that is given at once: parsed in about 20 ms, during which no key is heard. */
const WRITE_BYTES_MAX = 1024 * 1024;

type Held = readonly [bytes: Bytes, drawn: (() => void) | undefined];

interface PaceParts {
  write(bytes: Bytes, drawn: (() => void) | undefined): void;
  nowMs(): number;
  /** Calls back after so long. */
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

  /** Bounded by the window of the channel: `drawn` makes room for more. */
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

  /** Draws what is held back. */
  flush(): void {
    if (this.#held.length === 0) return;
    // A flood goes on being one until a step brings little.
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
