/**
 * Round trip and clock offset to management, measured by pings.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";

export interface RoundTrip {
  /** Machine clock minus management clock, at the last answer. Null: none yet. */
  readonly clockOffsetMs: number | null;
  /** Null: nothing measured yet. */
  readonly latencyMs: number | null;
  /**
   * The time by management's clock: its last statement plus the monotonic time since. Setting the machine's
   * clock does not change it. Null: no statement yet.
   */
  readonly managementNowMs: number | null;
  /** Records the time that management states in its welcome. */
  greeted(managementMs: number): void;
  /** Records that a ping leaves now. Returns the timestamp that it carries. */
  pinged(): number;
  /** Records the answer to the ping that carried `sentMs`. */
  answered(sentMs: number, managementMs: number): void;
}

export function createRoundTrip(clock: Clock): RoundTrip {
  let clockOffsetMs: number | null = null;
  let latencyMs: number | null = null;
  /** The last ping, by both clocks. */
  let last: { readonly sentMs: number; readonly monotonicMs: number } | null = null;
  let told: { readonly managementMs: number; readonly monotonicMs: number } | null = null;
  const tell = (managementMs: number): void => {
    told = { managementMs, monotonicMs: clock.monotonicMs() };
  };
  return {
    get managementNowMs() {
      return told === null ? null : told.managementMs + clock.monotonicMs() - told.monotonicMs;
    },
    get clockOffsetMs() {
      return clockOffsetMs;
    },
    get latencyMs() {
      return latencyMs;
    },
    greeted(managementMs) {
      tell(managementMs);
      clockOffsetMs = Math.round(clock.nowMs() - managementMs);
    },
    pinged() {
      const sentMs = Math.round(clock.nowMs());
      last = { sentMs, monotonicMs: clock.monotonicMs() };
      return sentMs;
    },
    answered(sentMs, managementMs) {
      tell(managementMs);
      // Measured by the monotonic clock, so that setting the wall clock does not distort it.
      if (last?.sentMs !== sentMs) return;
      const roundTripMs = clock.monotonicMs() - last.monotonicMs;
      latencyMs = Math.round(roundTripMs * 100) / 100;
      clockOffsetMs = Math.round(sentMs + roundTripMs / 2 - managementMs);
    },
  };
}
