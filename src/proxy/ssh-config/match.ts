/**
 * `qf proxy match H`: is H a peer? Answered by the exit status alone, from the name and local files.
 *
 * ssh(1) asks this for every host that fits the pattern of the drop-in, before anything else and also
 * for `ssh -G` and `-O check`: it never speaks to a server, never prompts, and never makes anything. It takes
 * away a key file that no ssh is using, so that the one that asks does not find a certificate that is over.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { platform } from "../../base/platform/platform.ts";
import { isDnsName, isPeerName, isShortName, parseDialledName } from "../../client/peer-name.ts";
import { dropUnused } from "../keys/key-readers.ts";
import { type Environment, opensshFolderPath } from "../keys/openssh-folder.ts";
import { dropStale } from "../keys/stale-key.ts";

/** Files in the OpenSSH folder, one name a line. No DNS name holds `_`, so no host's key is called so. */
export const DOMAINS_FILE = "account_domains";
/** Full names of machines that an admin has confirmed: these work without the domain. */
export const SHORT_NAMES_FILE = "short_names";
/** Longest files that are read. */
const DOMAINS_LENGTH_MAX = 4_096;
const SHORT_NAMES_LENGTH_MAX = 1024 * 1024;

/** 0 for a peer, 1 for anything else; silent. */
export function runMatch(args: readonly string[], environment: Environment): number {
  const question = parseArgs(args);
  if (question === undefined) return 1;
  const name = parseDialledName(question.host);
  if (name === undefined) return 1;
  try {
    const folder = opensshFolderPath(environment, question.configDir);
    const domains = question.domain === undefined ? readDomains(folder) : [question.domain];
    if (isPeerName(name, domains)) return found(folder, name);
    if (!isShortName(name)) return 1;
    const confirmed = readShortNames(folder);
    return domains.some((domain) => confirmed.includes(`${name}.${domain}`)) ? found(folder, name) : 1;
  } catch {
    return 1;
  }
}

/** A peer. Its key file goes before ssh looks at it, unless another ssh is using it (`keys/key-files.ts`). */
function found(folder: string, name: string): number {
  const drop = platform.seesReads ? dropUnused : dropStale;
  drop(folder, name, systemClock);
  return 0;
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
  return readNames(join(folder, DOMAINS_FILE), DOMAINS_LENGTH_MAX);
}

/** Full names of machines that work without their domain, as management said it last. */
export function readShortNames(folder: string): string[] {
  return readNames(join(folder, SHORT_NAMES_FILE), SHORT_NAMES_LENGTH_MAX);
}

function readNames(path: string, lengthMax: number): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").slice(0, lengthMax).split("\n").filter(isDnsName);
}

/** Name of the file with the host keys of `name`. No DNS name holds `_`. */
export function knownHostsFile(name: string): string {
  return `${name}_hosts`;
}
