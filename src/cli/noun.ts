/**
 * Nouns and verbs of the command line, as they are listed.
 *
 * @module
 */
import type { Command } from "./command.ts";

export interface Verb {
  /** One line, as it stands in lists; the first line of the command's own help says the same at length. */
  readonly purpose: string;
  readonly load: () => Promise<Command>;
}

export interface Noun {
  /** A paragraph on what it is. */
  readonly about: string;
  readonly verbs: Readonly<Record<string, Verb>>;
}
