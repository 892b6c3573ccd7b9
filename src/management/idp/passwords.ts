/**
 * Passwords: their hash, and a check that takes the same time for known and unknown people.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { sha256 } from "../../base/random.ts";
import { sourceKey } from "../../base/source-key.ts";
import { createGuessLimits } from "./guess-limits.ts";
import type { PasswordAccount, PasswordAccounts } from "./store.ts";
import { createTurns, type Turns } from "./turns.ts";

/** Longest password that is hashed. Bounds the work of one request. */
export const PASSWORD_LENGTH_MAX = 1024;
export const PASSWORD_LENGTH_MIN = 8;
/** Hashes computed at once; argon2id takes 64 MiB each. */
const CONCURRENT_MAX = 4;
/** Most checks that wait for their turn; further ones are told to try again. */
const WAITING_MAX = 64;
/** New passwords hashed at once, beside those being checked. */
const NEW_CONCURRENT_MAX = 2;
/** Most waiting forms of one person (or one link) while another of theirs is being hashed. */
const NEW_WAITING_MAX = 4;

const TOO_MANY = { kind: "too_many" } as const;
const WRONG = { kind: "wrong" } as const;

export type PasswordOutcome =
  | { readonly kind: "ok"; readonly account: PasswordAccount }
  | typeof WRONG
  | typeof TOO_MANY;

/** Where an attempt comes from. */
export interface TrySource {
  readonly address: string;
  /** Names the browser if the person has signed in with it before. Null: an unknown browser. */
  readonly knownBrowser?: (account: PasswordAccount) => string | null;
}

export interface PasswordCheck {
  check(email: string, password: string, source: TrySource): Promise<PasswordOutcome>;
  /**
   * Hashes a password that `who` has chosen, one at a time for each. Throws ERR_TOO_MANY when too many wait,
   * since a link may be submitted any number of times.
   */
  hash(password: string, who: string): Promise<string>;
}

/** argon2id of `password`, encoded with its parameters. */
export function hashPassword(password: string): Promise<string> {
  return Bun.password.hash(password, "argon2id");
}

/**
 * Identifies one password, since each hash has its own salt. Differs even for passwords chosen in the same
 * second, and reveals nothing about them.
 */
export function passwordStamp(passwordHash: string): string {
  return sha256(`qufabric/password/${passwordHash}`);
}

/** The form in which e-mail addresses are looked up. */
export function normaliseEmail(email: string): string {
  return email.trim().toLowerCase();
}

export function createPasswordCheck(deps: {
  readonly accounts: PasswordAccounts;
  readonly clock: Clock;
  /** Called for each wrong password, for audit. */
  readonly onFailure?: (failure: { email: string; sourceAddress: string }) => Promise<void>;
  /** Waits. Default: a timer. */
  readonly pause?: (ms: number) => Promise<void>;
}): PasswordCheck {
  const limits = createGuessLimits(deps.clock, deps.pause);
  const hashing = createTurns(CONCURRENT_MAX, WAITING_MAX);
  // Known browsers have their own queue, which a flood from elsewhere cannot fill.
  const hashingKnown = createTurns(1, WAITING_MAX);
  // One attempt at a time per source and person, so that parallel attempts are not all counted as failed
  // before the first is known to be good.
  const lines = createLines(WAITING_MAX);
  const hashingNew = createTurns(NEW_CONCURRENT_MAX, WAITING_MAX);
  const linesNew = createLines(NEW_WAITING_MAX);
  // Verified for unknown people, so that they cost as much as known ones.
  const decoy = hashPassword(crypto.randomUUID());

  async function attempt(email: string, password: string, source: TrySource): Promise<PasswordOutcome> {
    const account = await deps.accounts.findByEmail(email);
    const browser = account === undefined ? null : (source.knownBrowser?.(account) ?? null);
    const knownBrowser = browser === null ? null : `${account?.subject} ${browser}`;
    const admission = await limits.admit({ email, address: source.address, knownBrowser });
    if (admission === null) return TOO_MANY;
    // An empty password is refused whatever the hash says.
    if (password === "" || password.length > PASSWORD_LENGTH_MAX) return WRONG;
    const hash = account?.passwordHash || (await decoy);
    const turns = knownBrowser === null ? hashing : hashingKnown;
    const isRight = await turns.run(() => Bun.password.verify(password, hash).catch(() => false));
    if (isRight === "busy") return TOO_MANY;
    if (!isRight || account === undefined || account.passwordHash === "") return WRONG;
    admission.forgive();
    return { kind: "ok", account };
  }

  return {
    async check(email, password, source) {
      const key = normaliseEmail(email);
      const line = `${sourceKey(source.address)} ${key}`;
      const outcome = await lines.run(line, () => attempt(key, password, source));
      const sourceAddress = source.address;
      if (outcome !== "busy" && outcome.kind === "wrong") await deps.onFailure?.({ email, sourceAddress });
      return outcome === "busy" ? TOO_MANY : outcome;
    },
    async hash(password, who) {
      const hash = await linesNew.run(who, () => hashingNew.run(() => hashPassword(password)));
      if (hash === "busy") throw new QfError("ERR_TOO_MANY", "too many passwords are being set; try again");
      return hash;
    },
  };
}

/** Runs work one at a time per name, with at most `waitingMax` waiting behind it. */
function createLines(waitingMax: number) {
  const lines = new Map<string, Turns>();
  return {
    async run<T>(name: string, work: () => Promise<T>): Promise<T | "busy"> {
      const turns = lines.get(name) ?? createTurns(1, waitingMax);
      lines.set(name, turns);
      try {
        return await turns.run(work);
      } finally {
        if (turns.isIdle()) lines.delete(name);
      }
    },
  };
}
