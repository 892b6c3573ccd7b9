/**
 * `qf proxy match H`: is H a peer? Answered by the exit status alone, from the name and local files.
 *
 * ssh(1) asks this for every host that fits the pattern of the drop-in, before anything else and also
 * for `ssh -G` and `-O check`: it never speaks to a server, never prompts, and never makes anything.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Environment, opensshFolderPath } from "./openssh-folder.ts";
import { isDnsName, isPeerName, isShortName, parseDialledName } from "./peer-name.ts";

/** File in the OpenSSH folder that lists the account's domains, one a line. */
export const DOMAINS_FILE = "domains";
/** Longest file that is read. */
const DOMAINS_LENGTH_MAX = 4_096;

/** 0 for a peer, 1 for anything else; silent. */
export function runMatch(args: readonly string[], environment: Environment): number {
  const question = parseArgs(args);
  if (question === undefined) return 1;
  const name = parseDialledName(question.host);
  if (name === undefined) return 1;
  try {
    const folder = opensshFolderPath(environment, question.configDir);
    const domains = question.domain === undefined ? readDomains(folder) : [question.domain];
    if (isPeerName(name, domains)) return 0;
    return isShortName(name) && domains.some((domain) => isKnown(folder, `${name}.${domain}`)) ? 0 : 1;
  } catch {
    return 1;
  }
}

interface Question {
  readonly host: string;
  readonly domain: string | undefined;
  readonly configDir: string | undefined;
}

/** `[--domain D] [--config-dir PATH] H`; a host is never read as an option. */
function parseArgs(args: readonly string[]): Question | undefined {
  let rest = args;
  const values: Record<string, string> = {};
  while (rest.length >= 3 && (rest[0] === "--domain" || rest[0] === "--config-dir")) {
    values[rest[0]] = rest[1] ?? "";
    rest = rest.slice(2);
  }
  const [host] = rest;
  if (host === undefined || rest.length !== 1) return undefined;
  return { host, domain: values["--domain"], configDir: values["--config-dir"] };
}

/** The account's domains that this person has connected to. */
export function readDomains(folder: string): string[] {
  const path = join(folder, DOMAINS_FILE);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").slice(0, DOMAINS_LENGTH_MAX).split("\n").filter(isDnsName);
}

/** Whether a connection to the full name has shown that it is a peer. */
function isKnown(folder: string, fullName: string): boolean {
  return isDnsName(fullName) && existsSync(join(folder, knownHostsFile(fullName)));
}

/** Name of the file with the host keys of `name`. No DNS name holds `_`. */
export function knownHostsFile(name: string): string {
  return `${name}_hosts`;
}
