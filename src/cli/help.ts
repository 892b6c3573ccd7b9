/**
 * Help above single commands: the list of all commands, and the verbs of one noun. Hand-set.
 *
 * @module
 */
import { NOUNS, SINGLE } from "./commands.ts";
import type { Noun } from "./noun.ts";

/** Columns to which lists pad a command's name. */
const NAME_WIDTH = 14;

/** Commands that parse their own arguments. */
const RAW = [
  line("ssh", "log in to a peer, or run a command there, as ssh(1)"),
  line("proxy", "what OpenSSH calls to reach peers"),
];

/** `qf --help`. */
export function topHelp(): string {
  const nouns = Object.entries(NOUNS).map(([name, noun]) => line(name, Object.keys(noun.verbs).join(", ")));
  const singles = Object.entries(SINGLE).map(([name, verb]) => line(name, verb.purpose));
  return `QuFabric: identity-aware SSH for private networks.

usage: qf <command> [options]

commands:
${[...nouns, ...RAW, ...singles].join("")}
short for agent:
${line("up", "qf agent up")}${line("down", "qf agent down")}${line("status", "qf agent status")}
Run any command with --help for details. Exit status: 0 for success, 1 for a failure, 2 for a usage error;
qf ssh returns the remote status, or 255 if there was no session.

examples:
  qf ssh deploy@web1 uptime
  qf agent up --management-url https://qf.example.com --setup-key KEY --allow-server-ssh
`;
}

/** `qf <noun> --help`. */
export function nounHelp(name: string, noun: Noun): string {
  const width = Math.max(NAME_WIDTH, ...Object.keys(noun.verbs).map((verb) => verb.length + 2));
  const verbs = Object.entries(noun.verbs).map(([verb, { purpose }]) => line(verb, purpose, width));
  return `${noun.about}

usage: qf ${name} <command> [options]

commands:
${verbs.join("")}
Run qf ${name} <command> --help for details.
`;
}

function line(name: string, text: string, width = NAME_WIDTH): string {
  return `  ${name.padEnd(width)}${text}\n`;
}
