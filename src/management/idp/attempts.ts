/**
 * Limits on tries: a counter per key and window, bounded in number.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";

/** Most keys remembered. The oldest go first, so a flood of keys costs memory for this many only. */
const KEYS_MAX = 20_000;

export interface AttemptLimit {
  readonly countMax: number;
  readonly windowMs: number;
}

export interface Attempts {
  /** Whether `key` may try once more. Counts the try. */
  take(key: string): boolean;
  /** Gives one try of `key` back: it was a good one. */
  giveBack(key: string): void;
  /** Gives all tries of `key` back. */
  forget(key: string): void;
}

/** Fixed windows that start with the first try of a key. */
export function createAttempts(clock: Clock, limit: AttemptLimit): Attempts {
  const windows = new Map<string, { startMs: number; count: number }>();
  return {
    take(key) {
      const nowMs = clock.monotonicMs();
      const known = windows.get(key);
      if (known !== undefined && nowMs - known.startMs < limit.windowMs) {
        known.count += 1;
        return known.count <= limit.countMax;
      }
      windows.delete(key);
      windows.set(key, { startMs: nowMs, count: 1 });
      if (windows.size > KEYS_MAX) {
        const oldest = windows.keys().next();
        if (!oldest.done) windows.delete(oldest.value);
      }
      return true;
    },
    giveBack(key) {
      const known = windows.get(key);
      if (known !== undefined) known.count -= 1;
    },
    forget(key) {
      windows.delete(key);
    },
  };
}
