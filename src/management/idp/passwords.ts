/**
 * Passwords: their hash, and the check that takes the same time whether or not the person is known.
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

/** Longest password that is hashed: bounds the work of one request. */
export const PASSWORD_LENGTH_MAX = 1024;
export const PASSWORD_LENGTH_MIN = 8;
/** Hashes computed at once: argon2id takes 64 MiB each. */
const CONCURRENT_MAX = 4;
/** Waiting for their turn; more are told to come back. */
const WAITING_MAX = 64;
/** New passwords hashed at once, beside those that are checked. */
const NEW_CONCURRENT_MAX = 2;
/** Forms of one person (or one link) that wait while another of theirs is being hashed. */
const NEW_WAITING_MAX = 4;

const TOO_MANY = { kind: "too_many" } as const;
const WRONG = { kind: "wrong" } as const;

export type PasswordOutcome =
  | { readonly kind: "ok"; readonly account: PasswordAccount }
  | typeof WRONG
  | typeof TOO_MANY;

/** The place a try comes from. */
export interface TrySource {
  readonly address: string;
  /** Names the browser, where the person has signed in with it before. Null: it is not known. */
  readonly knownBrowser?: (account: PasswordAccount) => string | null;
}

export interface PasswordCheck {
  check(email: string, password: string, source: TrySource): Promise<PasswordOutcome>;
  /**
   * Hash of a password that `who` has chosen, one at a time of each. Throws ERR_TOO_MANY when too many are
   * asked for: a link may be sent as often as its holder likes.
   */
  hash(password: string, who: string): Promise<string>;
}

/** argon2id of `password`, encoded with its parameters. */
export function hashPassword(password: string): Promise<string> {
  return Bun.password.hash(password, "argon2id");
}

/**
 * Tells one password from the next, even when both were chosen in the same second: the hash has a salt of its
 * own. Says nothing about the password.
 */
export function passwordStamp(passwordHash: string): string {
  return sha256(`qufabric/password/${passwordHash}`);
}

/** The form under which an e-mail address is looked up. */
export function normaliseEmail(email: string): string {
  return email.trim().toLowerCase();
}

export function createPasswordCheck(deps: {
  readonly accounts: PasswordAccounts;
  readonly clock: Clock;
  /** Told of each wrong password, wherever it was given, for audit. */
  readonly onFailure?: (failure: { email: string; sourceAddress: string }) => Promise<void>;
  /** Waits. Default: a timer. */
  readonly pause?: (ms: number) => Promise<void>;
}): PasswordCheck {
  const limits = createGuessLimits(deps.clock, deps.pause);
  const hashing = createTurns(CONCURRENT_MAX, WAITING_MAX);
  // A flood from elsewhere does not fill the line that known browsers wait in.
  const hashingKnown = createTurns(1, WAITING_MAX);
  // One at a time of each source for each person: twenty good ones at once are not twenty that may be bad.
  const lines = createLines(WAITING_MAX);
  const hashingNew = createTurns(NEW_CONCURRENT_MAX, WAITING_MAX);
  const linesNew = createLines(NEW_WAITING_MAX);
  // Verified against when nobody is there, so that unknown and known cost the same.
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

/** One at a time for each name, and `waitingMax` in line behind it. */
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
