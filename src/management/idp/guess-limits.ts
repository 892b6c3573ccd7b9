/**
 * Limits on guessing passwords. They count by source, never by person, since otherwise anyone could lock a
 * person out.
 *
 * A source has a number of failed attempts per e-mail address and in total. Many failures for one address,
 * from anywhere, delay further attempts for it. A browser in which the person has signed in before has a
 * limit of its own and no delay.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { createAttempts, createSourceAttempts } from "./attempts.ts";

const WINDOW_MS = 5 * 60_000;
/** Failed attempts of one source for one e-mail address. */
const PAIR_LIMIT = { countMax: 10, windowMs: WINDOW_MS };
/** Failed attempts of one source for all addresses. */
const SOURCE_LIMIT = { countMax: 60, windowMs: WINDOW_MS };
/** Failed attempts in one known browser for its person. */
const BROWSER_LIMIT = { countMax: 10, windowMs: WINDOW_MS };
/** Failed attempts for one e-mail address, from anywhere, before further ones are delayed. */
const UNDELAYED_MAX = 10;
const DELAY_MS = 250;
const DELAY_MS_MAX = 5_000;

/** An attempt before its password is checked. */
export interface Guess {
  /** Normalised. */
  readonly email: string;
  readonly address: string;
  /** Names the person and the browser if they have signed in with it before. Null: an unknown browser. */
  readonly knownBrowser: string | null;
}

/** An admitted attempt. It counts as failed until `forgive` is called. */
export interface Admission {
  forgive(): void;
}

export interface GuessLimits {
  /** Resolves when the attempt may be made, after its delay. Null: there were too many. */
  admit(guess: Guess): Promise<Admission | null>;
}

/** `pause` waits; tests replace it. */
export function createGuessLimits(
  clock: Clock,
  pause: (ms: number) => Promise<void> = (ms) => Bun.sleep(ms),
): GuessLimits {
  const byPair = createSourceAttempts(clock, PAIR_LIMIT);
  const bySource = createSourceAttempts(clock, SOURCE_LIMIT);
  const byBrowser = createAttempts(clock, BROWSER_LIMIT);
  const failures = createAttempts(clock, { countMax: Number.POSITIVE_INFINITY, windowMs: WINDOW_MS });
  return {
    async admit({ email, address, knownBrowser }) {
      if (knownBrowser !== null) {
        return byBrowser.take(knownBrowser) ? { forgive: () => byBrowser.forget(knownBrowser) } : null;
      }
      if (!bySource.take(address) || !byPair.take(address, email)) return null;
      failures.take(email);
      await pause(delayMs(failures.count(email)));
      return {
        forgive() {
          failures.giveBack(email, byPair.forget(address, email));
          bySource.giveBack(address);
        },
      };
    },
  };
}

/** The delay of the `count`th failed attempt for one address. */
function delayMs(count: number): number {
  return count <= UNDELAYED_MAX ? 0 : Math.min(DELAY_MS * 2 ** (count - UNDELAYED_MAX - 1), DELAY_MS_MAX);
}
