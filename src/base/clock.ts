/**
 * Time as a dependency: the only `Date.now()` of the project.
 *
 * @module
 */

/** A source of time. Tests pass a fake one (`test/support/fake-clock.ts`). */
export interface Clock {
  /** Wall time in Unix milliseconds. May jump; use for validity, never for durations. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start that never go back; use for durations. */
  monotonicMs(): number;
}

/** The system's clocks. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** Wall time in whole Unix seconds. */
export function nowSeconds(clock: Clock): number {
  return Math.floor(clock.nowMs() / 1000);
}
