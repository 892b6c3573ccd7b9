/**
 * Completion of a command line of `qf`: commands, flags and values. Commands and flags come from the table
 * and the help texts; names of peers, users and groups from `namesOf`.
 *
 * @module
 */
import { NOUNS, SHORT, SINGLE } from "../commands.ts";
import type { Verb } from "../noun.ts";
import { completeArguments, type Grammar, grammarOf } from "./arguments.ts";
import type { Candidate, Completion } from "./candidates.ts";
import { helpFlags } from "./help-flags.ts";
import { type NamesOf, NOTHING } from "./values.ts";

const SSH_PURPOSE = "log in to a peer, or run a command there";
/** Placeholders that replace those of `qf ssh`'s help that mean something else in other commands. */
const SSH_VALUES: Readonly<Record<string, string>> = { "-l": "LOCAL-USER", "-J": "HOST" };
const PROXY_PURPOSE = "what OpenSSH calls to reach peers";

/** Completes the last of `words`, which may be empty. `words` do not include the program's name. */
export async function complete(words: readonly string[], namesOf: NamesOf): Promise<Completion> {
  const [first = "", ...rest] = words;
  if (rest.length === 0) return fromList(first, topCandidates());
  if (first === "help") return completeHelp(rest);
  if (first === "ssh") return completeArguments(await sshGrammar(), rest, namesOf);
  if (first === "proxy") return completeProxy(rest, namesOf);
  const short = own(SHORT, first);
  if (short !== undefined) return complete([...short, ...rest], namesOf);
  const single = own(SINGLE, first);
  if (single !== undefined) return completeArguments(await grammarOf(first, single), rest, namesOf);
  const noun = own(NOUNS, first);
  if (noun === undefined) return NOTHING;
  const [verbName = "", ...after] = rest;
  if (after.length === 0) return fromList(verbName, purposes(noun.verbs));
  const verb = own(noun.verbs, verbName);
  if (verb === undefined) return NOTHING;
  return completeArguments(await grammarOf(`${first} ${verbName}`, verb), after, namesOf);
}

/** The candidates that begin with `typed`. */
function fromList(typed: string, all: readonly Candidate[]): Completion {
  return { candidates: all.filter(({ word }) => word.startsWith(typed)), files: false };
}

function topCandidates(): Candidate[] {
  const nouns = Object.entries(NOUNS).map(([word, { verbs }]) => ({
    word,
    about: Object.keys(verbs).join(", "),
  }));
  const short = Object.entries(SHORT).map(([word, words]) => ({ word, about: `qf ${words.join(" ")}` }));
  return [
    ...nouns,
    { word: "ssh", about: SSH_PURPOSE },
    { word: "proxy", about: PROXY_PURPOSE },
    ...purposes(SINGLE),
    ...short,
    { word: "help", about: "show the help of a command" },
  ];
}

function purposes(verbs: Readonly<Record<string, Verb>>): Candidate[] {
  return Object.entries(verbs).map(([word, { purpose }]) => ({ word, about: purpose }));
}

/** `qf help policy create`: the words of a command. */
function completeHelp(words: readonly string[]): Completion {
  const [first = "", second] = words;
  if (second === undefined) return fromList(first, topCandidates());
  const noun = own(NOUNS, first);
  return noun === undefined || words.length > 2 ? NOTHING : fromList(second, purposes(noun.verbs));
}

async function sshGrammar(): Promise<Grammar> {
  const [{ SSH_HELP }, { OPTION_NAMES }] = await Promise.all([
    import("../../ssh/help.ts"),
    import("../../ssh/options.ts"),
  ]);
  const flags = helpFlags(SSH_HELP).map((flag) => {
    const name = flag.names.at(-1) ?? "";
    const placeholder = Object.hasOwn(SSH_VALUES, name) ? SSH_VALUES[name] : flag.placeholder;
    const options = name === "-o" ? OPTION_NAMES.map((option) => `${option}=`) : undefined;
    return { ...flag, placeholder, options, isRepeatable: true };
  });
  return { flags, positionals: ["[USER@]HOST"], hasClusters: true, endsAtFirst: true };
}

async function completeProxy(
  [verb = "", ...after]: readonly string[],
  namesOf: NamesOf,
): Promise<Completion> {
  const { PROXY_HELP, PROXY_USAGE } = await import("../../proxy/help.ts");
  const usages = new Map(
    [...PROXY_USAGE.matchAll(/qf proxy (\S+) ?(.*)/g)].map(([, name = "", usage = ""]) => [name, usage]),
  );
  if (after.length === 0) {
    return fromList(
      verb,
      [...usages.keys()].map((word) => ({ word })),
    );
  }
  const usage = usages.get(verb);
  if (usage === undefined) return NOTHING;
  const flags = helpFlags(PROXY_HELP)
    .filter(({ names }) => names.some((name) => usage.includes(name)))
    .map((flag) => ({ ...flag, options: undefined, isRepeatable: false }));
  const positionals = usage
    .replace(/\[[^\]]*\]/g, "")
    .split(" ")
    .filter(Boolean);
  return completeArguments({ flags, positionals }, after, namesOf);
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
