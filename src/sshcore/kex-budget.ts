/**
 * Processor time for key exchanges after the sign-in, as a share of one core for each source.
 *
 * Their number says little: a client that changes keys with each megabyte is within its rights, and OpenSSH's
 * own tests do so with each 16 bytes. A source that takes more than its share is read more slowly; it is
 * never cut off for it.
 *
 * @module
 */

export interface KexBudget {
  /** `ms` of processor time were used. Returns for how many milliseconds nothing should be read, mostly 0. */
  spend(ms: number): number;
}

export interface KexShare {
  /** Of one core, above 0 and at most 1. */
  readonly share: number;
  /** Milliseconds that may be used at once by a source that has been quiet. */
  readonly burstMs: number;
}

/** A core is shared by all; a transfer that changes keys all the time keeps half of it at most. */
export const KEX_SHARE: KexShare = { share: 0.5, burstMs: 2_000 };
/** Longest pause at a time, so that a connection is never taken for dead. */
const PAUSE_MS_MAX = 1_000;
/** Sources remembered; those that have been quiet for long enough are forgotten first. */
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

/** Budgets by source: connecting again brings no new one. */
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
