/**
 * Checks of `qf doctor` on OpenSSH: whether it reaches peers as it should, asked of ssh(1) itself, and what
 * earlier connections left behind. Changes nothing.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { clientFolderPath } from "../../client/client-folder.ts";
import { type Finding, fine, note, problem } from "../../wire/finding.ts";
import { type Environment, opensshFolderPath } from "../keys/openssh-folder.ts";
import { type EffectiveOptions, isOurs, readEffective, weakenedOptions } from "./effective.ts";
import { readDomains } from "./match.ts";
import { opensshPath } from "./openssh-path.ts";
import { PERSON_DROP_IN, PROBE_LABEL, SYSTEM_DROP_IN, SYSTEM_FOLDER } from "./ssh-config.ts";

/** A key of one connection is gone within a minute; what is older was left by a helper that was killed. */
const LEFT_MS = 600_000;
const INSTALL = "qf ssh-config install";

export interface SshCheckOptions {
  readonly environment: Environment;
  /** The account's domain. Undefined: one that this person has connected to. */
  readonly domain: string | undefined;
  /** ssh(1). Default: the one on PATH. */
  readonly ssh?: string;
}

export async function checkSsh(options: SshCheckOptions): Promise<Finding[]> {
  const { environment } = options;
  const ssh = options.ssh ?? opensshPath(environment);
  if (ssh === null) {
    const fix = "install openssh-client, or use qf ssh";
    return [note("ssh", "ssh.missing", "there is no OpenSSH client here", fix), ...leftovers(environment)];
  }
  const domain = options.domain ?? knownDomain(environment);
  if (domain === undefined) return leftovers(environment);
  const host = `${PROBE_LABEL}.${domain}`;
  const { effective, said } = await readEffective({ ssh, args: configArgs(environment), host, environment });
  if (effective === undefined) {
    const message = `ssh does not take its configuration: ${firstLine(said)}`;
    return [problem("ssh", "ssh.config", message, "mend what it names"), ...leftovers(environment)];
  }
  return [...configFindings(effective, { environment, domain }), ...leftovers(environment)];
}

function configFindings(
  effective: EffectiveOptions,
  { environment, domain }: { readonly environment: Environment; readonly domain: string },
): Finding[] {
  if (!isOurs(effective)) {
    const dropIn = [
      join(clientFolderPath(environment), PERSON_DROP_IN),
      join(SYSTEM_FOLDER, SYSTEM_DROP_IN),
    ].find((path) => existsSync(path));
    if (dropIn === undefined) {
      return [note("ssh", "ssh.config", `ssh does not know *.${domain}; qf ssh does`, INSTALL)];
    }
    const executable = executableOf(dropIn);
    // Without it `Match exec` fails, and ssh takes the host for nobody's.
    if (executable !== undefined && !existsSync(executable)) {
      const message = `${dropIn} starts ${executable}, which is not there`;
      return [problem("ssh", "ssh.executable", message, INSTALL)];
    }
    const message = `${dropIn} is there, but ssh goes another way for *.${domain}`;
    const fix = `${INSTALL}; then no ProxyCommand may come before its lines`;
    return [problem("ssh", "ssh.config", message, fix)];
  }
  const { needed, hostKeys, wanted } = weakenedOptions(effective);
  const before = "an earlier line of the ssh configuration sets";
  const found: Finding[] = [];
  if (needed.length > 0) {
    const message = `${before} ${needed.join(", ")}: connections to peers are refused`;
    found.push(problem("ssh", "ssh.weakened", message, `take that back for *.${domain}`));
  }
  if (hostKeys.length > 0) {
    const message = `${before} ${hostKeys.join(", ")}: qf, not ssh, checks the host keys of peers`;
    found.push(note("ssh", "ssh.weakened", message, `take that back for *.${domain}`));
  }
  if (wanted.length > 0) {
    const message = `${before} ${wanted.join(", ")}: ssh may offer peers other ways to sign in`;
    found.push(note("ssh", "ssh.weakened", message, `take that back for *.${domain}`));
  }
  return found.length > 0 ? found : [fine("ssh", "ssh.config", `ssh reaches *.${domain} through qf`)];
}

/** What the drop-in's ProxyCommand starts: its first word, which may stand in quotes. */
function executableOf(dropIn: string): string | undefined {
  const text = readFileSync(dropIn, "utf8");
  const words = /^\s*ProxyCommand (?:'([^']*)'|"([^"]*)"|(\S+)) proxy connect /m.exec(text) ?? [];
  return words
    .slice(1)
    .find((word) => word !== undefined)
    ?.replaceAll("%%", "%");
}

/** ssh(1) reads the account's own home; where HOME is another, that one is meant. */
function configArgs(environment: Environment): string[] {
  const home = environment.HOME;
  if (home === undefined || home === "" || home === accountHome()) return [];
  const config = join(home, ".ssh/config");
  return ["-F", existsSync(config) ? config : "none"];
}

function accountHome(): string {
  try {
    const lines = readFileSync("/etc/passwd", "utf8").split("\n");
    const entry = lines
      .map((line) => line.split(":"))
      .find((fields) => fields[2] === String(process.getuid?.()));
    return entry?.[5] ?? homedir();
  } catch {
    return homedir();
  }
}

function knownDomain(environment: Environment): string | undefined {
  try {
    return readDomains(folderOf(environment)).at(-1);
  } catch {
    return undefined;
  }
}

/** Keys of single connections that nobody took away. */
function leftovers(environment: Environment): Finding[] {
  const folder = folderOf(environment);
  const now = systemClock.nowMs();
  let left: string[] = [];
  try {
    left = readdirSync(folder).filter((name) => {
      return name.endsWith("_once") && now - statSync(join(folder, name)).mtimeMs > LEFT_MS;
    });
  } catch {
    return [];
  }
  if (left.length === 0) return [];
  const message = `${left.length} keys of connections long over lie in ${folder}`;
  const paths = left.flatMap((name) => [name.replace(/_once$/, ""), name]).map((name) => join(folder, name));
  return [problem("ssh", "ssh.leftovers", message, `rm ${paths.join(" ")}`)];
}

function folderOf(environment: Environment): string {
  return opensshFolderPath(environment, clientFolderPath(environment));
}

function firstLine(text: string): string {
  return (text.split("\n").find((line) => line.trim() !== "") ?? "it failed").slice(0, 300);
}
