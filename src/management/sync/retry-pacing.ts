/**
 * Retry pacing for agents that were turned away: they come back one after the other, at the pace at which
 * others are let in.
 *
 * An agent that comes back too early costs a connection for nothing, and enough of them would use up the
 * processor. So the pace is measured while agents are turned away, and set a little above what was measured,
 * so that it rises when there is room. Read `retryAfterMs`.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { randomUpTo } from "../../base/random.ts";
import { RETRY_MS_MAX } from "../../wire/agent-sync.ts";

/** Agents let in per second: the pace assumed at first, and the highest. */
const PER_SECOND_MAX = 1_000;
/**
 * The lowest pace. Turning away so many takes a tenth of a core; a lower one would keep agents away for long.
 */
const PER_SECOND_MIN = 400;
/** Weight of the latest window in the mean: the first second of a stampede says little of those after it. */
const WEIGHT = 0.25;
/** Factor by which the pace is above what was measured. */
const AHEAD = 1.25;
const WINDOW_MS = 1_000;
const RETRY_MS_MIN = 500;
const SPREAD_MS = 1_000;

export interface RetryPacing {
  /** To be called for each agent that is let in. */
  served(): void;
  /**
   * To be called for each agent that is turned away: in how many milliseconds it may try again, after those
   * that were told before. 500 to RETRY_MS_MAX, with chance in it.
   */
  retryAfterMs(): number;
  /**
   * Milliseconds over which `count` agents are to spread, should they all come at once. 0 to RETRY_MS_MAX.
   */
  spreadMs(count: number): number;
}

/** Starts with the highest pace. */
export function createRetryPacing(clock: Clock): RetryPacing {
  let perSecond = PER_SECOND_MAX;
  /** Agents that were told to come back and are not due yet. */
  let expected = 0;
  let drainedAtMs = clock.monotonicMs();
  /** Counts of the present window. Null: none has begun. */
  let window: { readonly fromMs: number; served: number; turned: number } | null = null;

  const pace = (): number => Math.min(PER_SECOND_MAX, perSecond * AHEAD);

  /** The present window, with everything brought up to now. */
  function current(): { served: number; turned: number } {
    const nowMs = clock.monotonicMs();
    expected = Math.max(0, expected - (pace() * (nowMs - drainedAtMs)) / 1_000);
    drainedAtMs = nowMs;
    if (window !== null && nowMs - window.fromMs >= WINDOW_MS) measure(window, nowMs - window.fromMs);
    window ??= { fromMs: nowMs, served: 0, turned: 0 };
    return window;
  }

  function measure({ served, turned }: { served: number; turned: number }, tookMs: number): void {
    window = null;
    // While nobody is turned away there is room for more; `served` says only how many came.
    const measured = turned === 0 ? perSecond * 2 : (served * 1_000) / tookMs;
    const mean = turned === 0 ? measured : perSecond + WEIGHT * (measured - perSecond);
    perSecond = Math.min(PER_SECOND_MAX, Math.max(PER_SECOND_MIN, mean));
  }

  return {
    served() {
      current().served += 1;
    },
    retryAfterMs() {
      current().turned += 1;
      const latestMs = RETRY_MS_MAX - RETRY_MS_MIN - SPREAD_MS;
      const dueMs = (expected / pace()) * 1_000;
      // Due later than an agent may be told: it comes by chance, and is not counted as expected.
      if (dueMs > latestMs) return RETRY_MS_MAX - randomUpTo(RETRY_MS_MAX / 2);
      expected += 1;
      return RETRY_MS_MIN + Math.round(dueMs) + randomUpTo(SPREAD_MS);
    },
    spreadMs: (count) => Math.min(RETRY_MS_MAX, Math.round((count / PER_SECOND_MAX) * 1_000)),
  };
}
