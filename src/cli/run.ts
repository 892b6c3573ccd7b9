/**
 * `qf <noun> <verb>`: finds the command, prints its help or runs it, and refuses unknown words.
 *
 * citty only declares flags and dispatches. Help, strictness and exit status are ours. `ssh` and `proxy`
 * never come here: `main.ts` passes them their arguments unchanged.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { closest } from "./closest.ts";
import type { Command } from "./command.ts";
import { NOUNS, SHORT, SINGLE } from "./commands.ts";
import { nounHelp, topHelp } from "./help.ts";
import type { Noun } from "./noun.ts";
import { print } from "./output.ts";
import { reportError, say } from "./report.ts";
import { asksForHelp, checkArgs } from "./strict-args.ts";

/** Commands that main.ts dispatches before this file sees them. */
const RAW = ["ssh", "proxy"];

/** Runs `argv`, the words typed after `programName`. Resolves to the exit status. */
export async function runCli(argv: readonly string[], programName: string): Promise<number> {
  const named = (help: string) => withName(help, programName);
  const [first, ...rest] = argv;
  if (first === undefined) return mistake("no command given", named(topHelp()));
  if (first === "--help" || first === "-h") return help(named(topHelp()));
  // `qf help policy create` is `qf policy create --help`.
  if (first === "help") return runCli([...rest, "--help"], programName);
  if (first === "--version") return runCli(["version"], programName);
  // The scripts of `qf completion` run this at every Tab.
  if (first === "__complete") return (await import("./completion/reply.ts")).replyTo(rest);
  const short = own(SHORT, first);
  if (short !== undefined) return runCli([...short, ...rest], programName);
  const single = own(SINGLE, first);
  if (single !== undefined) return runOne(await single.load(), rest, named);
  const noun = own(NOUNS, first);
  if (noun === undefined) {
    const near = closest(first, [
      ...Object.keys(SINGLE),
      ...Object.keys(NOUNS),
      ...Object.keys(SHORT),
      ...RAW,
    ]);
    const hint = named(near === undefined ? "qf --help lists the commands" : `did you mean qf ${near}?`);
    return mistake(`unknown command ${JSON.stringify(first)}`, usageOf(named(topHelp())), hint);
  }
  return runVerb(first, noun, rest, named);
}

async function runVerb(
  name: string,
  noun: Noun,
  args: readonly string[],
  named: (help: string) => string,
): Promise<number> {
  const [verbName, ...rest] = args;
  const about = named(nounHelp(name, noun));
  if (verbName === undefined) return mistake(`${name} needs a verb`, about);
  if (verbName === "--help" || verbName === "-h") return help(about);
  const verb = own(noun.verbs, verbName);
  if (verb === undefined) {
    const near = closest(verbName, Object.keys(noun.verbs));
    const hint = named(
      near === undefined ? `qf ${name} --help lists the commands` : `did you mean qf ${name} ${near}?`,
    );
    return mistake(`unknown command ${JSON.stringify(`${name} ${verbName}`)}`, usageOf(about), hint);
  }
  return runOne(await verb.load(), rest, named);
}

async function runOne(
  command: Command,
  args: readonly string[],
  named: (help: string) => string,
): Promise<number> {
  if (asksForHelp(args)) return help(named(command.help));
  let checked: string[];
  try {
    checked = checkArgs(command, args);
  } catch (error) {
    if (error instanceof QfError) return mistake(error.message, named(usageOf(command.help)), error.hint);
    throw error;
  }
  try {
    return await command.dispatch(checked);
  } catch (error) {
    return reportError(error);
  }
}

async function help(text: string): Promise<number> {
  await print(text);
  return 0;
}

function mistake(message: string, usage: string, hint?: string): number {
  say("error", message);
  if (hint !== undefined) say("hint", hint);
  process.stderr.write(usage);
  return 2;
}

/** The `usage:` paragraph of a help text. */
function usageOf(text: string): string {
  const usage = text.split("\n\n").find((paragraph) => paragraph.startsWith("usage:")) ?? "";
  return `${usage.trimEnd()}\n`;
}

/** Replaces `qf` in help by the name that the person typed, such as `qufabric`. */
function withName(text: string, programName: string): string {
  return programName === "qf" ? text : text.replace(/(^|[\s`(])qf (?=[a-z<[-])/gm, `$1${programName} `);
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
