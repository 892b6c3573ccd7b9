/**
 * Retry pacing for agents that were turned away: they come back one after the other, at the pace at which
 * others are admitted.
 *
 * An agent that comes back too early costs a connection for nothing, and many of them would use up the
 * processor. So the pace is measured while agents are turned away, and set slightly above the measured one,
 * so that it rises when there is room. Read `retryAfterMs`.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { randomUpTo } from "../../base/random.ts";
import { RETRY_MS_MAX } from "../../wire/agent-sync.ts";

/** Agents admitted per second: the initial pace, and the highest. */
const PER_SECOND_MAX = 1_000;
/**
 * The lowest pace. Turning away so many takes a tenth of a core; a lower pace would keep agents away for
 * long.
 */
const PER_SECOND_MIN = 400;
/** Weight of the latest window in the mean: the first second of a stampede says little of those after it. */
const WEIGHT = 0.25;
/** Factor by which the pace exceeds the measured one. */
const AHEAD = 1.25;
const WINDOW_MS = 1_000;
const RETRY_MS_MIN = 500;
const SPREAD_MS = 1_000;

export interface RetryPacing {
  /** Call for each agent that is admitted. */
  served(): void;
  /**
   * Call for each agent that is turned away. Returns in how many milliseconds it may try again, after those
   * told before it: 500 to RETRY_MS_MAX, partly random.
   */
  retryAfterMs(): number;
  /** Milliseconds over which `count` agents should spread if they all came at once. 0 to RETRY_MS_MAX. */
  spreadMs(count: number): number;
}

/** Starts with the highest pace. */
export function createRetryPacing(clock: Clock): RetryPacing {
  let perSecond = PER_SECOND_MAX;
  /** Agents that were told to come back and are not due yet. */
  let expected = 0;
  let drainedAtMs = clock.monotonicMs();
  /** Counts of the current window. Null: none has begun. */
  let window: { readonly fromMs: number; served: number; turned: number } | null = null;

  const pace = (): number => Math.min(PER_SECOND_MAX, perSecond * AHEAD);

  /** The current window, with all figures brought up to date. */
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
    // While no agent is turned away there is room for more, and `served` only says how many came.
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
      // Due later than an agent may be told: it gets a random time and is not counted as expected.
      if (dueMs > latestMs) return RETRY_MS_MAX - randomUpTo(RETRY_MS_MAX / 2);
      expected += 1;
      return RETRY_MS_MIN + Math.round(dueMs) + randomUpTo(SPREAD_MS);
    },
    spreadMs: (count) => Math.min(RETRY_MS_MAX, Math.round((count / PER_SECOND_MAX) * 1_000)),
  };
}
