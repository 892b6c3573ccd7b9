/**
 * A connection's access to PAM: whether the account may be used, and a monitor for each session.
 *
 * The process that checked the account is kept for a moment, because the first session usually follows at
 * once. A connection that only waits or forwards keeps none.
 *
 * @module
 */
import { printableLines } from "../../base/printable.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { Monitor } from "../os/monitor.ts";
import { hasPam, PAM_ACCT_EXPIRED, PAM_SUCCESS } from "../os/pam.ts";

export interface AccountAnswer {
  /** Null: it may be used. */
  readonly reason: ReasonCode | null;
  /** What PAM modules said to the person. Empty: nothing. */
  readonly text: string;
}

export interface AccountGateOptions {
  /** False: the agent has no root and runs everything as itself, so it asks no PAM. */
  readonly isPrivileged: boolean;
  readonly remoteHost: string;
  openMonitor(): Promise<Monitor>;
  onFailure(cause: unknown): void;
}

/** How long the process that checked the account is kept. */
const KEEP_MS = 2_000;
/** Most characters of a module's message that are kept. */
const TEXT_CHARS_MAX = 1_024;

export class AccountGate {
  readonly #options: AccountGateOptions;
  #kept: Monitor | null = null;
  #isClosed = false;

  constructor(options: AccountGateOptions) {
    this.#options = options;
  }

  /** Asks PAM. Never throws. If PAM exists but cannot be asked, the account is refused. */
  async check(localUser: string): Promise<AccountAnswer> {
    const { isPrivileged, remoteHost, openMonitor, onFailure } = this.#options;
    if (!isPrivileged || !hasPam()) return { reason: null, text: "" };
    try {
      const monitor = await openMonitor();
      const { code, text } = await monitor.checkAccount(localUser, remoteHost);
      if (code === PAM_SUCCESS) this.#keep(monitor);
      else monitor.close();
      return { reason: reasonOf(code), text: printableLines(text).trim().slice(0, TEXT_CHARS_MAX) };
    } catch (cause) {
      onFailure(cause);
      return { reason: "account_refused", text: "" };
    }
  }

  /** A monitor for one session. Null: none is needed. Throws when no process can be started. */
  async monitor({ hasTerminal }: { readonly hasTerminal: boolean }): Promise<Monitor | null> {
    const { isPrivileged, openMonitor } = this.#options;
    // Without PAM a monitor only keeps login records for terminals.
    if (!isPrivileged || !(hasPam() || hasTerminal)) return null;
    const found = this.#kept;
    this.#kept = null;
    return found === null || found.isClosed ? openMonitor() : found;
  }

  close(): void {
    this.#isClosed = true;
    this.#drop();
  }

  #keep(monitor: Monitor): void {
    this.#drop();
    this.#kept = monitor;
    if (this.#isClosed) this.#drop();
    setTimeout(() => {
      if (this.#kept === monitor) this.#drop();
    }, KEEP_MS).unref();
  }

  #drop(): void {
    this.#kept?.close();
    this.#kept = null;
  }
}

function reasonOf(code: number): ReasonCode | null {
  if (code === PAM_SUCCESS) return null;
  return code === PAM_ACCT_EXPIRED ? "account_expired" : "account_refused";
}
