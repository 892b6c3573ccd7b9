/**
 * The manual page qf(1): the help of every command on one page.
 *
 * @module
 */
import { NOUNS, SINGLE } from "./commands.ts";
import { topHelp } from "./help.ts";
import type { Verb } from "./noun.ts";

/** One command, by the words typed to run it. */
interface Entry {
  readonly words: string;
  readonly help: string;
}

/** The page in man(7) markup. Loads every command. `more`: commands that are not in the table. */
export async function manPage(version: string, more: readonly Entry[]): Promise<string> {
  const entries = [...more, ...(await tabled())];
  const sections = entries.map(({ words, help }) => `.SS qf ${words}\n${verbatim(help)}`);
  return [
    `.TH QF 1 "" "QuFabric ${version}" "QuFabric"\n`,
    ".SH NAME\nqf, qufabric \\- identity\\-aware SSH for private networks\n",
    `.SH SYNOPSIS\n.B qf\n.I command\n[options]\n`,
    `.SH DESCRIPTION\n${verbatim(topHelp())}`,
    `.SH COMMANDS\n${sections.join("")}`,
  ].join("");
}

async function tabled(): Promise<Entry[]> {
  const verbs: readonly (readonly [string, Verb])[] = [
    ...Object.entries(SINGLE),
    ...Object.entries(NOUNS).flatMap(([noun, { verbs }]) =>
      Object.entries(verbs).map(([verb, value]) => [`${noun} ${verb}`, value] as const),
    ),
  ];
  return await Promise.all(verbs.map(async ([words, verb]) => ({ words, help: (await verb.load()).help })));
}

/** Text without filling. Escapes lines that begin with a dot or quote, which would be requests. */
function verbatim(text: string): string {
  const lines = text.trim().replaceAll("\\", "\\e").replaceAll("-", "\\-").split("\n");
  return `.nf\n${lines.map((line) => (/^[.']/.test(line) ? `\\&${line}` : line)).join("\n")}\n.fi\n`;
}
