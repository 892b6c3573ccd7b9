/**
 * The outcome of a completion.
 *
 * @module
 */

/** One word that could stand where the cursor is. */
export interface Candidate {
  readonly word: string;
  readonly about?: string;
}

export interface Completion {
  readonly candidates: readonly Candidate[];
  /** Whether a file or folder may stand there. */
  readonly files: boolean;
}
