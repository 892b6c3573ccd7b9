/**
 * Decides whether an OS account permits a sign-in, from facts the machine looked up.
 *
 * @module
 */
import type { ReasonCode } from "../../wire/reason.ts";

/** One OS account from the machine's account database. */
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
  /** Shell is missing or not executable. */
  readonly shellMissing: boolean;
}

/**
 * Null when the account permits a sign-in, otherwise why not, as sshd(8) decides it. With PAM, PAM is also
 * asked and has the last word.
 */
export function denialOfLocalAccount(facts: LocalAccountFacts): ReasonCode | null {
  if (!facts.exists) return "account_unknown";
  if (facts.locked) return "account_locked";
  if (facts.expired) return "account_expired";
  return facts.shellMissing ? "account_nologin" : null;
}

/**
 * Null when the account may run what does not use its shell: SFTP, and a command that a rule lists. A shell
 * that refuses sessions refuses these too; since it is never started, we refuse in its place.
 */
export function denialOfShellless(facts: Pick<LocalAccountFacts, "nologin">): ReasonCode | null {
  return facts.nologin ? "account_nologin" : null;
}
