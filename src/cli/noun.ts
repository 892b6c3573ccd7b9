/**
 * The types of nouns and verbs in the table of commands.
 *
 * @module
 */
import type { Command } from "./command.ts";

export interface Verb {
  /** One line for lists. The first line of the command's help says the same at length. */
  readonly purpose: string;
  readonly load: () => Promise<Command>;
}

export interface Noun {
  /** A paragraph that explains the noun. */
  readonly about: string;
  readonly verbs: Readonly<Record<string, Verb>>;
}
