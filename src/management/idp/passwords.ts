/**
 * Is this the password of that person? In a time that does not tell whether the person is known, and
 * only so many times.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { createAttempts, sourceKey } from "./attempts.ts";
import type { PasswordAccount, PasswordAccounts } from "./store.ts";

/** Longest password that is hashed: bounds the work of one request. */
export const PASSWORD_LENGTH_MAX = 1024;
export const PASSWORD_LENGTH_MIN = 8;
/** Failed tries for one e-mail address, wherever from. */
const EMAIL_LIMIT = { countMax: 10, windowMs: 5 * 60_000 };
/** Tries from one source, for whomever. */
const SOURCE_LIMIT = { countMax: 60, windowMs: 5 * 60_000 };
/** Hashes computed at once: argon2id takes 64 MiB each. */
const CONCURRENT_MAX = 4;
/** Waiting for their turn; more are told to come back. */
const WAITING_MAX = 64;

export type PasswordOutcome =
  | { readonly kind: "ok"; readonly account: PasswordAccount }
  | { readonly kind: "wrong" }
  | { readonly kind: "too_many" };

export interface PasswordCheck {
  check(email: string, password: string, sourceAddress: string): Promise<PasswordOutcome>;
}

/** argon2id of `password`, encoded with its parameters. */
export function hashPassword(password: string): Promise<string> {
  return Bun.password.hash(password, "argon2id");
}

/** The form under which an e-mail address is looked up. */
export function normaliseEmail(email: string): string {
  return email.trim().toLowerCase();
}

export function createPasswordCheck(deps: {
  readonly accounts: PasswordAccounts;
  readonly clock: Clock;
}): PasswordCheck {
  const byEmail = createAttempts(deps.clock, EMAIL_LIMIT);
  const bySource = createAttempts(deps.clock, SOURCE_LIMIT);
  const turn = createTurns();
  // Verified against when nobody is there, so that unknown and known cost the same.
  const decoy = hashPassword(crypto.randomUUID());
  return {
    async check(email, password, sourceAddress) {
      const key = normaliseEmail(email);
      if (!bySource.take(sourceKey(sourceAddress)) || !byEmail.take(key)) return { kind: "too_many" };
      // An empty password is refused whatever the hash says.
      if (password === "" || password.length > PASSWORD_LENGTH_MAX) return { kind: "wrong" };
      const account = await deps.accounts.findByEmail(key);
      const hash = account === undefined || account.passwordHash === "" ? await decoy : account.passwordHash;
      const isRight = await turn(() => Bun.password.verify(password, hash).catch(() => false));
      if (isRight === "busy") return { kind: "too_many" };
      if (!isRight || account === undefined || account.passwordHash === "") return { kind: "wrong" };
      byEmail.forget(key);
      return { kind: "ok", account };
    },
  };
}

/** Runs work a few at a time; "busy" when too many wait already. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T | "busy"> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= CONCURRENT_MAX) {
      if (waiting.length >= WAITING_MAX) return "busy";
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
}
