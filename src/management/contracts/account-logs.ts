/**
 * The logs of all accounts, as other parts of management use them. `log/account-logs.ts` implements it.
 *
 * @module
 */
import type { NoteKey } from "../../log/checkpoint.ts";
import type { ServedLog } from "../../wire/log-entry.ts";
import type { AccountId } from "../../wire/units.ts";
import type { StoredCheckpoint } from "../db/tables/log-checkpoints.ts";

export interface AccountLogs {
  /** Begins the account's log if it has not begun, and adds the stored events to its tree. */
  begin(accountId: AccountId): Promise<void>;
  /** Makes a checkpoint over every stored event. Throws ERR_NOT_FOUND if there is no such account. */
  checkpoint(accountId: AccountId): Promise<StoredCheckpoint>;
  /** The latest checkpoint. Undefined: none yet. */
  newest(accountId: AccountId): Promise<StoredCheckpoint | undefined>;
  /** The keys that have signed the log, named by its origin, the newest last. */
  keys(accountId: AccountId): Promise<NoteKey[]>;
  /**
   * The log's name, the key that signs it, and the handovers that led to that key. Undefined: it has not
   * begun.
   */
  identity(accountId: AccountId): Promise<ServedLog | undefined>;
  /** Begins every account's log; then makes checkpoints from time to time until `stop`. */
  start(): Promise<void>;
  /** Calls `listener` after each checkpoint made by this process. Returns a function that stops it. */
  onCheckpoint(listener: (checkpoint: StoredCheckpoint) => void): () => void;
  stop(): void;
}
