/**
 * The lag of a recording: chunks that management does not have yet, and the output held back because of them.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";

/** How far a required recording may lag behind at management. */
export interface BehindLimits {
  /** Beyond either of these two, output is held back. */
  readonly bytesMax: number;
  readonly heldAfterMs: number;
  /** Beyond this the recording has failed. */
  readonly failedAfterMs: number;
}
export const BEHIND_LIMITS: BehindLimits = {
  bytesMax: 1024 * 1024,
  heldAfterMs: 5_000,
  failedAfterMs: 30_000,
};
/** Bytes of text that may wait to be sealed. Beyond this, output is held back to bound memory. */
const SEALING_BYTES_MAX = 8 * 1024 * 1024;

/** A chunk that management does not have yet. */
interface Unstored {
  readonly number: number;
  readonly bytes: number;
  readonly sinceMs: number;
}

export interface BehindOptions {
  readonly clock: Clock;
  /** Null: the recording need not keep up. */
  readonly limits: BehindLimits | null;
  /** Whether root allows recordings to stay on this machine while management cannot store them. */
  mayWait(): boolean;
  /** Whether management cannot store it now. */
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

  /** Whether the recording has to be given up. */
  get isTooFar(): boolean {
    const { limits, mayWait } = this.#options;
    return limits !== null && this.#ageMs() > limits.failedAfterMs && !mayWait();
  }

  /** Counts bytes of text that is being sealed, or, when negative, no longer is. */
  sealing(bytes: number): void {
    this.#sealingBytes += bytes;
    this.#release();
  }

  add(number: number, bytes: number, sinceMs: number): void {
    this.#unstored.push({ number, bytes, sinceMs });
    this.#bytes += bytes;
  }

  /** Management turned out to be away: output may be released, where it need not wait for management. */
  look(): void {
    this.#release();
  }

  /** Management has every chunk before `next`. */
  stored(next: number): void {
    while ((this.#unstored[0]?.number ?? next) < next) this.#bytes -= this.#unstored.shift()?.bytes ?? 0;
    this.#release();
  }

  /** Null: go on. Otherwise wait for the promise. */
  hold(): Promise<void> | null {
    if (!this.#isBehind()) return null;
    return new Promise((resolve) => {
      this.#holders.push(resolve);
    });
  }

  /** The recording is over: releases all held output. */
  end(): void {
    this.#isOver = true;
    this.#release();
  }

  #isBehind(): boolean {
    if (this.#isOver) return false;
    if (this.#sealingBytes > SEALING_BYTES_MAX) return true;
    const { limits, mayWait, isAway } = this.#options;
    if (limits === null || (isAway() && mayWait())) return false;
    // Text that is being sealed is not stored yet either.
    return this.#bytes + this.#sealingBytes > limits.bytesMax || this.#ageMs() > limits.heldAfterMs;
  }

  /** Age of the oldest chunk that is not stored. */
  #ageMs(): number {
    const oldest = this.#unstored[0];
    return oldest === undefined ? 0 : this.#options.clock.monotonicMs() - oldest.sinceMs;
  }

  #release(): void {
    if (this.#holders.length === 0 || this.#isBehind()) return;
    for (const resolve of this.#holders.splice(0)) resolve();
  }
}
