/**
 * Limits on attempts: counters per key or source in fixed windows. The number of counters is bounded.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { boundsOf, sourceNetworks } from "../../base/source-key.ts";

/**
 * Most keys remembered. The oldest are dropped first, so a flood of keys takes a bounded amount of memory.
 */
const KEYS_MAX = 20_000;

export interface AttemptLimit {
  readonly countMax: number;
  readonly windowMs: number;
}

export interface Attempts {
  /** Counts an attempt of `key`. False: there were too many. */
  take(key: string): boolean;
  /** Takes back one or several attempts of `key`, which turned out good. */
  giveBack(key: string, count?: number): void;
  /** Takes back all attempts of `key`. */
  forget(key: string): void;
  /** Attempts of `key` in its window. */
  count(key: string): number;
}

/** Fixed windows, each beginning with a key's first attempt. */
export function createAttempts(clock: Clock, limit: AttemptLimit): Attempts {
  const windows = createWindows(clock, limit.windowMs);
  return {
    take: (key) => windows.add(key) <= limit.countMax,
    giveBack: windows.subtract,
    forget: windows.forget,
    count: windows.count,
  };
}

/**
 * The same for addresses, with `limit` for each IPv4 address and IPv6 /64, and wider bounds for the /56 and
 * /48 around it. `of` separates what one source attempts, so that each has its own bound.
 */
export interface SourceAttempts {
  take(address: string, of?: string): boolean;
  giveBack(address: string, of?: string): void;
  /** Takes back what the narrowest network of `address` has attempted. Returns how many that was. */
  forget(address: string, of?: string): number;
}

export function createSourceAttempts(clock: Clock, limit: AttemptLimit): SourceAttempts {
  const windows = createWindows(clock, limit.windowMs);
  const keysOf = (address: string, of: string): readonly string[] =>
    sourceNetworks(address).map((network) => `${network} ${of}`);
  return {
    take(address, of = "") {
      const keys = keysOf(address, of);
      const bounds = boundsOf(keys, limit.countMax);
      // Stops at the first refused network, so that no counters of networks inside it push out older ones.
      return keys.every((key, i) => windows.add(key) <= (bounds[i] ?? limit.countMax));
    },
    giveBack(address, of = "") {
      for (const key of keysOf(address, of)) windows.subtract(key);
    },
    forget(address, of = "") {
      const keys = keysOf(address, of);
      const own = windows.count(keys.at(-1) ?? "");
      for (const key of keys) windows.subtract(key, own);
      return own;
    },
  };
}

function createWindows(clock: Clock, windowMs: number) {
  const windows = new Map<string, { startMs: number; count: number }>();
  const current = (key: string) => {
    const window = windows.get(key);
    return window !== undefined && clock.monotonicMs() - window.startMs < windowMs ? window : undefined;
  };
  return {
    /** Counts one more and returns the sum. */
    add(key: string): number {
      const window = current(key);
      if (window !== undefined) return ++window.count;
      windows.delete(key);
      windows.set(key, { startMs: clock.monotonicMs(), count: 1 });
      if (windows.size > KEYS_MAX) {
        const oldest = windows.keys().next();
        if (!oldest.done) windows.delete(oldest.value);
      }
      return 1;
    },
    subtract(key: string, count = 1): void {
      const window = windows.get(key);
      if (window !== undefined) window.count = Math.max(0, window.count - count);
    },
    forget(key: string): void {
      windows.delete(key);
    },
    count: (key: string): number => current(key)?.count ?? 0,
  };
}
