/**
 * The decision whether an OS account may be signed in to, from facts the machine looked up.
 *
 * @module
 */
import type { ReasonCode } from "../../wire/reason.ts";

/** One OS account as the machine's account database has it. */
export interface LocalAccountFacts {
  readonly exists: boolean;
  readonly uid: number;
  /**
   * Password locked with `!` or `*LK*` in the way that means "no sign-in at all" (`passwd -l`, `usermod -L`).
   */
  readonly locked: boolean;
  /** Account (not password) expiry date has passed. */
  readonly expired: boolean;
  /** Shell is nologin or false: it may forward, and its sessions are refused by that shell. */
  readonly nologin: boolean;
  /** Shell is not there, or no program. */
  readonly shellMissing: boolean;
}

/**
 * Null when the account may be signed in to, else why not, as sshd(8) decides it. Where PAM is there, it is
 * asked as well and has the last word.
 */
export function denialOfLocalAccount(facts: LocalAccountFacts): ReasonCode | null {
  if (!facts.exists) return "account_unknown";
  if (facts.locked) return "account_locked";
  if (facts.expired) return "account_expired";
  return facts.shellMissing ? "account_nologin" : null;
}

/**
 * Null when the account may have what its shell has no part in: SFTP, and a command that a rule lists. A
 * shell that refuses sessions refuses these as well; since that shell is never started, we say so in its
 * place.
 */
export function denialOfShellless(facts: Pick<LocalAccountFacts, "nologin">): ReasonCode | null {
  return facts.nologin ? "account_nologin" : null;
}
