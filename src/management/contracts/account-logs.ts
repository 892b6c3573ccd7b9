/**
 * The logs of all accounts, as the other parts of management use them. `log/account-logs.ts` makes them.
 *
 * @module
 */
import type { NoteKey } from "../../log/checkpoint.ts";
import type { ServedLog } from "../../wire/log-entry.ts";
import type { AccountId } from "../../wire/units.ts";
import type { StoredCheckpoint } from "../db/tables/log-checkpoints.ts";

export interface AccountLogs {
  /** Begins the account's log, unless that was done, and brings what is there into its tree. */
  begin(accountId: AccountId): Promise<void>;
  /** A checkpoint over every event that is stored. Throws ERR_NOT_FOUND where there is no such account. */
  checkpoint(accountId: AccountId): Promise<StoredCheckpoint>;
  /** The last one that was made. Undefined: none yet. */
  newest(accountId: AccountId): Promise<StoredCheckpoint | undefined>;
  /** The keys that have signed the log, the newest last, named by its origin. */
  keys(accountId: AccountId): Promise<NoteKey[]>;
  /** Its name, the key that signs it, and how that came to. Undefined: it has not begun. */
  identity(accountId: AccountId): Promise<ServedLog | undefined>;
  /** Begins every account's log; then makes checkpoints from time to time, until `stop`. */
  start(): Promise<void>;
  /** Calls `listener` after each checkpoint that was made here. Returns how to stop. */
  onCheckpoint(listener: (checkpoint: StoredCheckpoint) => void): () => void;
  stop(): void;
}
