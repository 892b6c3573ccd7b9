/**
 * docs/commands.md, made from the command table: what there is, and what for.
 *
 * `bun test/tidy/commands-page.ts` writes it; a test holds the page against the table.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { NOUNS, SHORT, SINGLE } from "../../src/cli/commands.ts";
import type { Verb } from "../../src/cli/noun.ts";
import { ROOT } from "./documents.ts";

export const COMMANDS_PAGE = "docs/commands.md";

const INTRODUCTION = `# Commands

\`qf COMMAND --help\` shows the usage, every option and two examples. Flags come before or after arguments;
\`--json\` prints what the command shows as JSON.
`;

const RAW: readonly (readonly [command: string, purpose: string])[] = [
  ["ssh [user@]host [command]", "log in to a peer, or run a command there, with the options of ssh(1)"],
  ["proxy", "what OpenSSH calls to reach peers; `qf ssh-config install` sets it up"],
];

/** The page's text. */
export function commandsPage(): string {
  const singles = [...RAW, ...Object.entries(SINGLE).map(([name, { purpose }]) => [name, purpose] as const)];
  const table = tableOf(Object.fromEntries(singles.map(([name, purpose]) => [name, { purpose }])));
  const short = Object.entries(SHORT).map(([name, words]) => `\`qf ${name}\` for \`qf ${words.join(" ")}\``);
  const nouns = Object.entries(NOUNS).map(
    ([name, { about, verbs }]) => `## \`qf ${name}\`\n\n${inCode(about)}\n\n${tableOf(verbs, name)}`,
  );
  return [INTRODUCTION, table, `Short forms: ${short.join(", ")}.\n`, ...nouns].join("\n");
}

function inCode(text: string): string {
  return text.replace(/\bqf [a-z][a-z-]*\b/g, "`$&`");
}

function tableOf(verbs: Readonly<Record<string, Pick<Verb, "purpose">>>, noun?: string): string {
  const rows = Object.entries(verbs).map(([verb, { purpose }]) => {
    const words = noun === undefined ? verb : `${noun} ${verb}`;
    return `| \`qf ${words}\` | ${purpose} |\n`;
  });
  return `| command | does |\n|---|---|\n${rows.join("")}`;
}

if (import.meta.main) writeFileSync(join(ROOT, COMMANDS_PAGE), commandsPage());
