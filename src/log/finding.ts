/**
 * Findings of a verification, each in one sentence.
 *
 * @module
 */

export const FINDING_CODES = [
  "bundle_unreadable",
  "entry_unreadable",
  "entry_changed",
  "entry_missing",
  "entry_misplaced",
  "tree_differs",
  "checkpoint_unsigned",
  "key_unknown",
  "other_log",
  "rolled_back",
  "forked",
  "not_comparable",
  "batch_forged",
  "batch_missing_events",
  "batch_out_of_chain",
  "peer_key_changed",
  "tail_lost",
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];

export interface LogFinding {
  readonly code: FindingCode;
  /** The entry concerned, or the entry that the fault must precede. Null: the bundle as a whole. */
  readonly seq: number | null;
  /** Lowercase, no full stop. May quote a bundle, so make it printable before showing it. */
  readonly sentence: string;
}
