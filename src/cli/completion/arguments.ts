/**
 * Completion of one command's arguments, from its flags and the names of its positionals.
 *
 * @module
 */
import type { Verb } from "../noun.ts";
import type { Candidate, Completion } from "./candidates.ts";
import { type HelpFlag, helpFlags } from "./help-flags.ts";
import { completeValue, type NamesOf, NOTHING } from "./values.ts";

export interface GrammarFlag extends HelpFlag {
  /** The only values. Undefined: any. */
  readonly options: readonly string[] | undefined;
  readonly isRepeatable: boolean;
}

export interface Grammar {
  readonly flags: readonly GrammarFlag[];
  /** Placeholders as in help, in order. */
  readonly positionals: readonly string[];
  /** Whether one-letter flags combine after one dash, as in `-vL` of ssh(1). */
  readonly hasClusters?: boolean;
  /** Whether everything after the first positional belongs to another program. */
  readonly endsAtFirst?: boolean;
}

/** The grammar of the command `words` in the table. */
export async function grammarOf(words: string, verb: Verb): Promise<Grammar> {
  const { args, help, repeatable } = await verb.load();
  const flags = helpFlags(help).map((flag) => {
    const name = flag.names.at(-1)?.replace(/^--(?:no-)?/, "") ?? "";
    const definition = Object.hasOwn(args, name) ? args[name] : undefined;
    const options = definition?.type === "enum" ? definition.options : undefined;
    return { ...flag, options, isRepeatable: repeatable.includes(name) };
  });
  const positionals = Object.entries(args)
    .filter(([, { type }]) => type === "positional")
    .map(([name, definition]) => (definition.valueHint ?? name).toUpperCase());
  // People ping machines that they may log in to. Other commands take any peer of the account.
  return { flags, positionals: words === "ping" ? ["HOST"] : positionals };
}

/** Completes the last of `words`, which follow the command's own words. */
export async function completeArguments(
  grammar: Grammar,
  words: readonly string[],
  namesOf: NamesOf,
): Promise<Completion> {
  const typed = words.at(-1) ?? "";
  const { given, pending, positionals, isEnded } = readWords(grammar, words.slice(0, -1));
  if (pending !== undefined) return completeFlagValue(pending, typed, namesOf);
  if (grammar.endsAtFirst === true && positionals > 0) return NOTHING;
  const equals = typed.indexOf("=");
  if (!isEnded && typed.startsWith("-") && equals > 0) {
    const flag = grammar.flags.find(({ names }) => names.includes(typed.slice(0, equals)));
    const prefix = typed.slice(0, equals + 1);
    return flag === undefined ? NOTHING : completeFlagValue(flag, typed.slice(equals + 1), namesOf, prefix);
  }
  const placeholder = grammar.positionals[positionals];
  if (!isEnded && (typed.startsWith("-") || (typed === "" && placeholder === undefined))) {
    return { candidates: flagCandidates(grammar, given, typed), files: false };
  }
  return placeholder === undefined ? NOTHING : completeValue(placeholder, typed, namesOf);
}

interface Read {
  readonly given: ReadonlySet<GrammarFlag>;
  /** The flag whose value comes next. */
  readonly pending: GrammarFlag | undefined;
  readonly positionals: number;
  /** Whether `--` was among them. */
  readonly isEnded: boolean;
}

function readWords(grammar: Grammar, words: readonly string[]): Read {
  const given = new Set<GrammarFlag>();
  let pending: GrammarFlag | undefined;
  let positionals = 0;
  let isEnded = false;
  for (const word of words) {
    if (pending !== undefined) pending = undefined;
    else if (isEnded || !word.startsWith("-") || word === "-") positionals += 1;
    else if (word === "--") isEnded = true;
    else {
      const flag = flagOf(grammar, word);
      if (flag === undefined) continue;
      given.add(flag);
      if (flag.placeholder !== undefined && isWithoutValue(grammar, flag, word)) pending = flag;
    }
  }
  return { given, pending, positionals, isEnded };
}

/** The flag that a word is. Of combined letters, the first that takes a value. */
function flagOf({ flags, hasClusters }: Grammar, word: string): GrammarFlag | undefined {
  const written = word.startsWith("--") ? word.replace(/=.*$/s, "") : word;
  const exact = flags.find(({ names }) => names.includes(written));
  if (exact !== undefined || word.startsWith("--") || hasClusters !== true) return exact;
  const letters = [...word.slice(1)].map((letter) => flags.find(({ names }) => names.includes(`-${letter}`)));
  return letters.find((flag) => flag?.placeholder !== undefined) ?? letters[0];
}

/** Whether the flag's value is the next word, that is, not attached as in `--flag=x` or `-p22`. */
function isWithoutValue({ hasClusters }: Grammar, { names }: GrammarFlag, word: string): boolean {
  if (names.includes(word)) return true;
  return hasClusters === true && !word.startsWith("--") && names.includes(`-${word.at(-1)}`);
}

function completeFlagValue(
  flag: GrammarFlag,
  typed: string,
  namesOf: NamesOf,
  prefix = "",
): Promise<Completion> {
  const options = flag.options ?? (flag.placeholder === undefined ? ["true", "false"] : undefined);
  if (options === undefined) return completeValue(flag.placeholder ?? "", typed, namesOf, prefix);
  const candidates = options
    .filter((option) => option.startsWith(typed))
    .map((option) => ({ word: prefix + option }));
  return Promise.resolve({ candidates, files: false });
}

function flagCandidates(grammar: Grammar, given: ReadonlySet<GrammarFlag>, typed: string): Candidate[] {
  const open = grammar.flags.filter((flag) => flag.isRepeatable || !given.has(flag));
  const all = open.flatMap(({ names, about }) => names.map((word) => ({ word, about })));
  return [...all, { word: "--help", about: "show the help of this command" }].filter(({ word }) =>
    word.startsWith(typed),
  );
}
