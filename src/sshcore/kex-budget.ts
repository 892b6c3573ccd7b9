/**
 * Processor time for key exchanges after sign-in, as a share of one core per source.
 *
 * Their number says little: a client may rekey every megabyte, and OpenSSH's own tests do so every 16 bytes.
 * A source that exceeds its share is read more slowly, never cut off.
 *
 * @module
 */

export interface KexBudget {
  /** Records `ms` of processor time. Returns for how many milliseconds to pause reading, usually 0. */
  spend(ms: number): number;
}

export interface KexShare {
  /** Share of one core, above 0 and at most 1. */
  readonly share: number;
  /** Milliseconds that a source which has been quiet may use at once. */
  readonly burstMs: number;
}

/** All share a core; a transfer that rekeys constantly gets at most half of it. */
export const KEX_SHARE: KexShare = { share: 0.5, burstMs: 2_000 };
/** Longest single pause, so that a connection never looks dead. */
const PAUSE_MS_MAX = 1_000;
/** Most sources remembered. Sources with a recovered budget are forgotten first. */
const SOURCES_MAX = 1_024;

interface Account extends KexBudget {
  isFull(): boolean;
}

/** One source's budget. `nowMs` is a monotonic clock. */
export function createKexBudget({ share, burstMs }: KexShare, nowMs: () => number): Account {
  let left = burstMs;
  let atMs = nowMs();
  const earn = (): void => {
    const now = nowMs();
    left = Math.min(burstMs, left + (now - atMs) * share);
    atMs = now;
  };
  return {
    spend(ms) {
      earn();
      left -= ms;
      return left >= 0 ? 0 : Math.min(PAUSE_MS_MAX, -left / share);
    },
    isFull() {
      earn();
      return left === burstMs;
    },
  };
}

/** Budgets by source: reconnecting does not reset one. */
export class KexBudgets {
  readonly #share: KexShare;
  readonly #nowMs: () => number;
  readonly #sources = new Map<string, Account>();

  constructor(share: KexShare = KEX_SHARE, nowMs: () => number = () => performance.now()) {
    this.#share = share;
    this.#nowMs = nowMs;
  }

  of(source: string): KexBudget {
    const present = this.#sources.get(source);
    if (present !== undefined) return present;
    if (this.#sources.size >= SOURCES_MAX) this.#forgetQuiet();
    const made = createKexBudget(this.#share, this.#nowMs);
    if (this.#sources.size < SOURCES_MAX) this.#sources.set(source, made);
    return made;
  }

  #forgetQuiet(): void {
    for (const [source, account] of this.#sources) if (account.isFull()) this.#sources.delete(source);
  }
}
