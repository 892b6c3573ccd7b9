/**
 * Is this the password of that person? In a time that does not tell whether the person is known, and
 * only so many times.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { sourceKey } from "../../base/source-key.ts";
import { createAttempts } from "./attempts.ts";
import type { PasswordAccount, PasswordAccounts } from "./store.ts";

/** Longest password that is hashed: bounds the work of one request. */
export const PASSWORD_LENGTH_MAX = 1024;
export const PASSWORD_LENGTH_MIN = 8;
/** Failed tries for one e-mail address, wherever from. */
const EMAIL_LIMIT = { countMax: 10, windowMs: 5 * 60_000 };
/** Failed tries from one source, for whomever. */
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
  const hashing = createTurns(CONCURRENT_MAX, WAITING_MAX);
  // One try at a time for each person: twenty good ones at once are not twenty tries that may be bad.
  const ofPerson = new Map<string, ReturnType<typeof createTurns>>();
  // Verified against when nobody is there, so that unknown and known cost the same.
  const decoy = hashPassword(crypto.randomUUID());

  async function attempt(email: string, password: string, sourceAddress: string): Promise<PasswordOutcome> {
    const source = sourceKey(sourceAddress);
    if (!bySource.take(source) || !byEmail.take(email)) return { kind: "too_many" };
    // An empty password is refused whatever the hash says.
    if (password === "" || password.length > PASSWORD_LENGTH_MAX) return { kind: "wrong" };
    const account = await deps.accounts.findByEmail(email);
    const hash = account === undefined || account.passwordHash === "" ? await decoy : account.passwordHash;
    const isRight = await hashing.run(() => Bun.password.verify(password, hash).catch(() => false));
    if (isRight === "busy") return { kind: "too_many" };
    if (!isRight || account === undefined || account.passwordHash === "") return { kind: "wrong" };
    byEmail.forget(email);
    bySource.giveBack(source);
    return { kind: "ok", account };
  }

  return {
    async check(email, password, sourceAddress) {
      const key = normaliseEmail(email);
      const turns = ofPerson.get(key) ?? createTurns(1, WAITING_MAX);
      ofPerson.set(key, turns);
      const outcome = await turns.run(() => attempt(key, password, sourceAddress));
      if (turns.isIdle()) ofPerson.delete(key);
      return outcome === "busy" ? { kind: "too_many" } : outcome;
    },
  };
}

interface Turns {
  /** "busy" when too many wait already. */
  run<T>(work: () => Promise<T>): Promise<T | "busy">;
  isIdle(): boolean;
}

/** Runs work a few at a time, first come first served. */
function createTurns(concurrentMax: number, waitingMax: number): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    async run(work) {
      if (running >= concurrentMax) {
        if (waiting.length >= waitingMax) return "busy";
        // Whoever ends hands its place on, so nobody comes in between.
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else running += 1;
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
    isIdle: () => running === 0 && waiting.length === 0,
  };
}
