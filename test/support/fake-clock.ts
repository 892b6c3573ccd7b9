import type { Clock } from "../../src/base/clock.ts";

/** A clock that only moves when told: wall and monotonic time apart, so that a jump can be played. */
export class FakeClock implements Clock {
  #wallMs: number;
  #monotonicMs = 1_000;

  constructor(wallMs = Date.UTC(2026, 10, 20, 12, 0, 0)) {
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Time passes. */
  advanceMs(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }

  /** Somebody sets the wall clock; no time passes. */
  jumpWallMs(ms: number): void {
    this.#wallMs += ms;
  }
}
