/**
 * The connection's access to PAM: whether the account may be used, and a monitor for each session.
 *
 * The process that answered about the account is kept for a moment, since the first session mostly follows at
 * once. A connection that only waits or forwards keeps none.
 *
 * @module
 */
import { printableLines } from "../../base/printable.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { Monitor } from "../os/monitor.ts";
import { hasPam, PAM_ACCT_EXPIRED, PAM_SUCCESS } from "../os/pam.ts";

export interface AccountAnswer {
  /** Null: it may. */
  readonly reason: ReasonCode | null;
  /** What modules said to the person; empty: nothing. */
  readonly text: string;
}

export interface AccountGate {
  /** Asks PAM. Never throws: what cannot be asked is refused, where there is a PAM at all. */
  check(localUser: string): Promise<AccountAnswer>;
  /**
   * A monitor for one session. Null: none is needed. Throws when the operating system has no process left.
   */
  monitor(options: { readonly hasTerminal: boolean }): Promise<Monitor | null>;
  close(): void;
}

/** How long the process of the account is kept. */
const KEEP_MS = 2_000;
/** What a module says is cut to this, in characters. */
const TEXT_CHARS_MAX = 1_024;

/** `isPrivileged`: false for an agent without root, which asks nobody: it can only be itself. */
export function createAccountGate(options: {
  readonly isPrivileged: boolean;
  readonly remoteHost: string;
  openMonitor(): Promise<Monitor>;
  onFailure(cause: unknown): void;
}): AccountGate {
  let kept: Monitor | null = null;
  let isClosed = false;

  const drop = (): void => {
    kept?.close();
    kept = null;
  };
  const keep = (monitor: Monitor): void => {
    drop();
    kept = monitor;
    if (isClosed) drop();
    setTimeout(() => {
      if (kept === monitor) drop();
    }, KEEP_MS).unref();
  };

  return {
    async check(localUser) {
      if (!options.isPrivileged || !hasPam()) return { reason: null, text: "" };
      try {
        const monitor = await options.openMonitor();
        const { code, text } = await monitor.checkAccount(localUser, options.remoteHost);
        if (code === PAM_SUCCESS) keep(monitor);
        else monitor.close();
        return { reason: reasonOf(code), text: printableLines(text).trim().slice(0, TEXT_CHARS_MAX) };
      } catch (cause) {
        options.onFailure(cause);
        return { reason: "account_refused", text: "" };
      }
    },
    async monitor({ hasTerminal }) {
      // Without PAM a monitor only keeps the records of terminals.
      if (!options.isPrivileged || !(hasPam() || hasTerminal)) return null;
      const found = kept;
      kept = null;
      return found === null || found.isClosed ? options.openMonitor() : found;
    },
    close() {
      isClosed = true;
      drop();
    },
  };
}

function reasonOf(code: number): ReasonCode | null {
  if (code === PAM_SUCCESS) return null;
  return code === PAM_ACCT_EXPIRED ? "account_expired" : "account_refused";
}
