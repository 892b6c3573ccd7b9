/**
 * The outcome of a completion.
 *
 * @module
 */

/** One word that may stand at the cursor. */
export interface Candidate {
  readonly word: string;
  readonly about?: string;
}

export interface Completion {
  readonly candidates: readonly Candidate[];
  /** Whether a file or folder may stand there. */
  readonly files: boolean;
}
