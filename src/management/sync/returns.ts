/**
 * When those who were turned away are to come back: one after the other, as fast as others are let in.
 *
 * Whoever comes again before there is room costs a connection for nothing, so what the machine has left would
 * go into sending agents away. Hence the pace follows what is measured while somebody is turned away; it is a
 * little ahead of that, so that more room is found when there is some. Read `retryAfterMs`.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { randomUpTo } from "../../base/random.ts";
import { RETRY_MS_MAX } from "../../wire/agent-sync.ts";

/** Let in in one second: what is believed at first and at most. */
const PER_SECOND_MAX = 1_000;
/** And at least: sending so many away takes a tenth of a core, and nobody stays away for long without need. */
const PER_SECOND_MIN = 400;
/** How much one window counts: the first second of a stampede says little of those after it. */
const WEIGHT = 0.25;
/** How far the pace is ahead of what was measured. */
const AHEAD = 1.25;
const WINDOW_MS = 1_000;
const RETRY_MS_MIN = 500;
const SPREAD_MS = 1_000;

export interface Returns {
  /** Somebody has got what it came for. */
  served(): void;
  /**
   * Somebody is turned away: in how many milliseconds it may try again, after those who were told before.
   * 500 to RETRY_MS_MAX, each another time.
   */
  retryAfterMs(): number;
  /** Over how long so many are to spread, should they all come now. */
  spreadMs(count: number): number;
}

/** Believes at first that all goes fast. */
export function createReturns(clock: Clock): Returns {
  let perSecond = PER_SECOND_MAX;
  /** Told to come, and not yet due. */
  let expected = 0;
  let drainedAtMs = clock.monotonicMs();
  /** What came of those who were there of late. Null: nobody was. */
  let window: { readonly fromMs: number; served: number; turned: number } | null = null;

  const pace = (): number => Math.min(PER_SECOND_MAX, perSecond * AHEAD);

  /** Brings all up to now. */
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
    // Where nobody is turned away there is room for more, and what was served says only how many came.
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
      // Later than anybody is told: these come when it is their luck, and nobody waits behind them.
      if (dueMs > latestMs) return RETRY_MS_MAX - randomUpTo(RETRY_MS_MAX / 2);
      expected += 1;
      return RETRY_MS_MIN + Math.round(dueMs) + randomUpTo(SPREAD_MS);
    },
    spreadMs: (count) => Math.min(RETRY_MS_MAX, Math.round((count / PER_SECOND_MAX) * 1_000)),
  };
}
