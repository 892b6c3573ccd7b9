/**
 * The lag of a recording: chunks that management does not have yet, and output that is held for that.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";

/** How far a required recording may be behind at management. */
export interface BehindLimits {
  /** Beyond either of these, output is held. */
  readonly bytesMax: number;
  readonly heldAfterMs: number;
  /** Beyond this it has failed. */
  readonly failedAfterMs: number;
}
export const BEHIND_LIMITS: BehindLimits = {
  bytesMax: 1024 * 1024,
  heldAfterMs: 5_000,
  failedAfterMs: 30_000,
};
/** Text that waits to be encrypted: more is held back, since memory is not without end. */
const SEALING_BYTES_MAX = 8 * 1024 * 1024;

/** A chunk that management does not have yet. */
interface Unstored {
  readonly number: number;
  readonly bytes: number;
  readonly sinceMs: number;
}

export interface BehindOptions {
  readonly clock: Clock;
  /** Null: it need not keep up. */
  readonly limits: BehindLimits | null;
  /** Root lets it be kept on this machine while management cannot store it. */
  mayWait(): boolean;
  /** Management cannot store it now. */
  isAway(): boolean;
}

export class Behind {
  readonly #options: BehindOptions;
  readonly #unstored: Unstored[] = [];
  #bytes = 0;
  #sealingBytes = 0;
  #holders: (() => void)[] = [];
  #isOver = false;

  constructor(options: BehindOptions) {
    this.#options = options;
  }

  /** It has to be given up. */
  get isTooFar(): boolean {
    const { limits, mayWait } = this.#options;
    return limits !== null && this.#ageMs() > limits.failedAfterMs && !mayWait();
  }

  /** Bytes of text that are being encrypted, or no longer are. */
  sealing(bytes: number): void {
    this.#sealingBytes += bytes;
    this.#release();
  }

  add(number: number, bytes: number, sinceMs: number): void {
    this.#unstored.push({ number, bytes, sinceMs });
    this.#bytes += bytes;
  }

  /** Management has turned out to be away: what waits for it may be let go. */
  look(): void {
    this.#release();
  }

  /** Management has every chunk before `next`. */
  stored(next: number): void {
    while ((this.#unstored[0]?.number ?? next) < next) this.#bytes -= this.#unstored.shift()?.bytes ?? 0;
    this.#release();
  }

  /** Null: go on; else wait for it. */
  hold(): Promise<void> | null {
    if (!this.#isBehind()) return null;
    return new Promise((resolve) => {
      this.#holders.push(resolve);
    });
  }

  /** There is no more of it, and nobody waits. */
  end(): void {
    this.#isOver = true;
    this.#release();
  }

  #isBehind(): boolean {
    if (this.#isOver) return false;
    if (this.#sealingBytes > SEALING_BYTES_MAX) return true;
    const { limits, mayWait, isAway } = this.#options;
    if (limits === null || (isAway() && mayWait())) return false;
    // What is being encrypted is not stored either.
    return this.#bytes + this.#sealingBytes > limits.bytesMax || this.#ageMs() > limits.heldAfterMs;
  }

  /** Of the oldest chunk. */
  #ageMs(): number {
    const oldest = this.#unstored[0];
    return oldest === undefined ? 0 : this.#options.clock.monotonicMs() - oldest.sinceMs;
  }

  #release(): void {
    if (this.#holders.length === 0 || this.#isBehind()) return;
    for (const resolve of this.#holders.splice(0)) resolve();
  }
}
