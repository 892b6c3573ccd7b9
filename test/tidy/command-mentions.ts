/**
 * Which commands of `qf` a text names, and whether each of them, with its flags, exists.
 *
 * What exists is asked of the command table, of each command's declared flags, and for `qf ssh` of its
 * parser.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../src/base/errors.ts";
import { NOUNS, SHORT, SINGLE } from "../../src/cli/commands.ts";
import type { Verb } from "../../src/cli/noun.ts";
import { PROXY_HELP, PROXY_USAGE } from "../../src/proxy/help.ts";
import { parseSshArgv } from "../../src/ssh/argv.ts";

/** What `qf` starts itself with; no person types it, so no help names it. */
const INTERNAL: readonly string[] = ["agent child", "proxy tidy", "proxy carry", "proxy check"];
/** Words that follow the name of the program in a sentence, where no command is meant. */
const SENTENCE_WORDS: ReadonlySet<string> = new Set(
  "as says may that is on in or and cannot can asks does needs serves process".split(" "),
);
const HELP_FLAGS = ["--help", "-h"];

/** `qf <words> <rest up to the end of the mention>`. */
export interface Mention {
  readonly words: string;
  readonly rest: readonly string[];
}

/**
 * The mentions in one line of code, one code span, or one line of a text in which nothing is marked as code.
 *
 * `isCode`: the program's name can only begin a command; in a sentence it may be followed by any verb.
 */
export function mentionsIn(line: string, isCode: boolean): Mention[] {
  const found: Mention[] = [];
  for (const match of line.matchAll(/(?:(?<![\w./-])|(?<=\b(?:dist|bin)\/))(?:qf|qufabric) +(?=[a-z-])/g)) {
    const after = line.slice(match.index + match[0].length);
    const [mention = ""] = after.split(/[`"';<>#]|\$\(|&&| \| |, |: |\. |(?<![\w./-])(?:qf|qufabric) /);
    const tokens = mention.split(/[\s[\]()]+/).filter(Boolean);
    const [first = "", ...rest] = tokens.map((token) => token.replace(/[.,:…]+$/, ""));
    if (!isCode && SENTENCE_WORDS.has(first)) continue;
    const isNoun = Object.hasOwn(NOUNS, first) || first === "proxy";
    const hasVerb = rest[0] !== undefined && !rest[0].startsWith("-");
    if (isNoun && hasVerb && (isCode || !SENTENCE_WORDS.has(rest[0] ?? ""))) {
      // `qf user create|update`: each of them.
      for (const verb of rest[0]?.split(/[|\\]+/) ?? [])
        found.push({ words: `${first} ${verb}`, rest: rest.slice(1) });
    } else found.push({ words: first, rest });
  }
  return found;
}

/** The command that these words are. */
export function verbOf(words: string): Verb | undefined {
  const short = Object.hasOwn(SHORT, words) ? SHORT[words] : undefined;
  if (short !== undefined) return verbOf(short.join(" "));
  const [first = "", second] = words.split(" ");
  if (second === undefined) return Object.hasOwn(SINGLE, first) ? SINGLE[first] : undefined;
  const verbs = Object.hasOwn(NOUNS, first) ? NOUNS[first]?.verbs : undefined;
  return verbs !== undefined && Object.hasOwn(verbs, second) ? verbs[second] : undefined;
}

/** What of a mention does not exist; empty when all of it does. */
export async function missingOf({ words, rest }: Mention): Promise<string[]> {
  const flags = rest.filter((token) => /^--?[A-Za-z]/.test(token) && !HELP_FLAGS.includes(token));
  if (words === "ssh") return missingOfSsh(rest).map((flag) => `qf ssh ${flag}`);
  if (words.startsWith("-")) return [...HELP_FLAGS, "--version"].includes(words) ? [] : [`qf ${words}`];
  if (words === "help" || INTERNAL.includes(words)) return [];
  if (words === "proxy" || words.startsWith("proxy ")) {
    const isThere = words === "proxy" || PROXY_USAGE.includes(`qf ${words} `);
    const unknown = flags.filter((flag) => !PROXY_HELP.includes(`  ${nameOf(flag)} `));
    return isThere ? unknown.map((flag) => `qf ${words} ${flag}`) : [`qf ${words}`];
  }
  if (Object.hasOwn(NOUNS, words)) return flags.map((flag) => `qf ${words} ${flag}`);
  const verb = verbOf(words);
  if (verb === undefined) return [`qf ${words}`];
  const taken = await flagsOf(verb);
  return flags.filter((flag) => !taken.includes(nameOf(flag))).map((flag) => `qf ${words} ${flag}`);
}

const nameOf = (flag: string): string => flag.replace(/=.*$/s, "");

async function flagsOf(verb: Verb): Promise<string[]> {
  const { args } = await verb.load();
  return Object.entries(args).flatMap(([name, definition]) => {
    if (definition.type === "positional") return [];
    const alias = "alias" in definition ? definition.alias : undefined;
    const others = (alias === undefined ? [] : [alias].flat()).map((one) => `-${one}`);
    const isNegative = definition.type === "boolean" && definition.negativeDescription !== undefined;
    return [isNegative ? `--no-${name}` : `--${name}`, ...others];
  });
}

/** Options that the parser of `qf ssh` does not know; they end at the host, as with ssh(1). */
function missingOfSsh(rest: readonly string[]): string[] {
  const missing: string[] = [];
  for (let at = 0; at < rest.length; at += 1) {
    const token = rest[at] ?? "";
    if (HELP_FLAGS.includes(token)) continue;
    if (!/^--?[A-Za-z]/.test(token)) break;
    const next = rest[at + 1] ?? "value";
    const takesValue = /^-[A-Za-z]*[LRDWJlpoe]$|^--(?:management-url|reason)$/.test(token);
    if (!takenBySsh(takesValue ? [token, next, "host"] : [token, "host"])) {
      missing.push(takesValue ? `${token} ${next}` : token);
    }
    if (takesValue) at += 1;
  }
  return missing;
}

function takenBySsh(args: readonly string[]): boolean {
  try {
    parseSshArgv(args);
    return true;
  } catch (error) {
    if (!isQfError(error, "ERR_USAGE")) throw error;
    return !/unknown option|is not available|is not for qf ssh/.test(error.message);
  }
}

/** Every long flag that any command, or install.sh, takes. */
export async function allFlags(): Promise<Set<string>> {
  const verbs = [
    ...Object.values(SINGLE),
    ...Object.values(NOUNS).flatMap(({ verbs }) => Object.values(verbs)),
  ];
  const declared = (await Promise.all(verbs.map(flagsOf))).flat();
  const script = readFileSync(join(import.meta.dir, "../../install.sh"), "utf8");
  const ofScript = [...script.matchAll(/^ {2}(--[a-z-]+) /gm)].map(([, flag = ""]) => flag);
  const raw = ["--management-url", "--reason", "--no-browser", "--fdpass", "--config-dir", "--domain"];
  return new Set([...declared, ...raw, ...ofScript, ...HELP_FLAGS, "--version"]);
}
