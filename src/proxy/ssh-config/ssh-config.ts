/**
 * `qf ssh-config`: the drop-in put where ssh(1) reads it, proven with `ssh -G`, and taken away again.
 *
 * As root it is for everybody on the machine, in `/etc/ssh/ssh_config.d`; for a person it is a file of
 * their own that `~/.ssh/config` includes first. What cannot be proven harmless is undone at once.
 *
 * @module
 */

import { existsSync, lstatSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { QfError } from "../../base/errors.ts";
import { isCompiled } from "../../base/own-command.ts";
import { platform } from "../../base/platform/platform.ts";
import { requireSystem } from "../../base/require-system.ts";
import { createClientApi } from "../../client/client-api.ts";
import { clientFolderPath, openClientFolder, readPublicClient } from "../../client/client-folder.ts";
import { replaceFile } from "../keys/key-readers.ts";
import { DEFAULT_CONFIG_PATH, type Environment, openOpensshFolder } from "../keys/openssh-folder.ts";
import { addInclude, isOwn, removeInclude } from "./config-file.ts";
import { DROP_IN_MARK, type DropIn, renderDropIn } from "./drop-in.ts";
import { type EffectiveOptions, isOurs, readEffective, weakenedOptions } from "./effective.ts";
import { keepDomain } from "./known-hosts.ts";
import { opensshPath } from "./openssh-path.ts";
import { refreshShortNames } from "./short-names.ts";
import { configWord } from "./windows-drop-in.ts";

const NAMES_LATER = "names without the domain work once qf login has asked management for them";
/** Where the drop-in lies: for everybody, below the system's folder; for a person, in theirs. */
export const SYSTEM_FOLDER = "/etc/ssh";
export const SYSTEM_DROP_IN = "ssh_config.d/99-qufabric.conf";
export const PERSON_DROP_IN = "ssh_config";
/** A host that is nobody's peer: reserved by RFC 2606. */
const FOREIGN_HOST = "host.example.com";
/** A name that every account could have. */
export const PROBE_LABEL = "qf-probe";

export interface SshConfigOptions {
  readonly environment: Environment;
  /** For everybody on the machine. */
  readonly isSystem: boolean;
  readonly shortNames: boolean;
  /** The account's domain. Undefined: management is asked. */
  readonly domain: string | undefined;
  /** Absolute path of `qf`. Default: this program. */
  readonly executable?: string;
  /** Default `/etc/ssh`. */
  readonly systemFolder?: string;
  /** ssh(1). Default: the one on PATH. */
  readonly ssh?: string;
}

export interface Installed {
  /** The drop-in. */
  readonly path: string;
  /** What includes it. */
  readonly configPath: string;
  readonly domain: string;
  /** One sentence each. */
  readonly warnings: readonly string[];
}

/** What would be installed. */
export interface SshConfigPlan {
  readonly dropIn: DropIn;
  readonly text: string;
  readonly path: string;
  readonly configPath: string;
}

/** Where the drop-in goes, and what it says. Throws ERR_USAGE, ERR_UNAVAILABLE. */
export async function planSshConfig(options: SshConfigOptions): Promise<SshConfigPlan> {
  const { environment, isSystem, shortNames, systemFolder = SYSTEM_FOLDER } = options;
  requireSystem(!(isSystem && isWindows()), "a configuration of ssh for everyone", "run it as yourself");
  const executable = options.executable ?? ownExecutable();
  const domain = options.domain ?? (await askDomain(environment));
  const clientFolder = clientFolderPath(environment);
  const home = environment.HOME || homedir();
  const isUsual = isSystem || (!isWindows() && clientFolder === join(home, DEFAULT_CONFIG_PATH));
  const dropIn: DropIn = { executable, domain, shortNames, configDir: isUsual ? undefined : clientFolder };
  return {
    dropIn,
    text: renderDropIn(dropIn),
    path: isSystem ? join(systemFolder, SYSTEM_DROP_IN) : join(clientFolder, PERSON_DROP_IN),
    configPath: isSystem ? join(systemFolder, "ssh_config") : join(home, ".ssh/config"),
  };
}

/**
 * Installs and proves it; what cannot be proven is undone, and thrown. Installing again replaces what
 * was there.
 */
export async function installSshConfig(options: SshConfigOptions): Promise<Installed> {
  const { environment, isSystem } = options;
  const ssh = findSsh(options);
  const plan = await planSshConfig(options);
  if (isSystem) checkRootOwned(plan.dropIn.executable);
  const ask = (host: string) => readEffective({ ssh, args: argsFor(plan.configPath), host, environment });
  const before = await ask(FOREIGN_HOST);
  if (before.effective === undefined) {
    throw new QfError("ERR_SSH", `ssh does not take ${plan.configPath} as it is`, {
      hint: `mend it first: ssh -G ${FOREIGN_HOST} says what is wrong`,
    });
  }
  const undo = await put(options, plan);
  try {
    const probe = `${PROBE_LABEL}.${plan.dropIn.domain}`;
    const [foreign, peer] = await Promise.all([ask(FOREIGN_HOST), ask(probe)]);
    if (foreign.effective === undefined || peer.effective === undefined) {
      throw new QfError("ERR_SSH", "this ssh does not take the configuration, so it is as it was", {
        hint: "OpenSSH 8.5 or newer is needed; qf ssh works without it",
        cause: new Error(foreign.said || peer.said),
      });
    }
    checkUnchanged(before.effective, foreign.effective);
    const warnings = checkPeer(peer.effective, plan.configPath);
    const { domain, configDir } = plan.dropIn;
    if (!isSystem) {
      keepDomain(openOpensshFolder(environment, configDir), domain);
      const names = await refreshShortNames({ environment, configDir });
      if (plan.dropIn.shortNames && names === undefined) warnings.push(NAMES_LATER);
    }
    return { path: plan.path, configPath: plan.configPath, domain: plan.dropIn.domain, warnings };
  } catch (error) {
    undo();
    throw error;
  }
}

/** Takes away what `installSshConfig` put there. False: nothing was. */
export function removeSshConfig(
  options: Pick<SshConfigOptions, "environment" | "isSystem" | "systemFolder">,
): boolean {
  const { environment, isSystem, systemFolder = SYSTEM_FOLDER } = options;
  if (isSystem) return removeDropIn(join(systemFolder, SYSTEM_DROP_IN));
  const hadInclude = removeInclude(join(environment.HOME || homedir(), ".ssh/config"));
  const hadFile = removeDropIn(join(clientFolderPath(environment), PERSON_DROP_IN));
  return hadInclude || hadFile;
}

/** Writes the drop-in and includes it. The result puts back what was there. */
async function put(options: SshConfigOptions, plan: SshConfigPlan): Promise<() => void> {
  const { environment, isSystem } = options;
  const { path, text, configPath } = plan;
  if (!isSystem) await openClientFolder(environment);
  if (!existsSync(dirname(path))) {
    throw new QfError("ERR_SSH", `there is no ${dirname(path)}`, {
      hint: "install OpenSSH's client 8.5 or newer, or run qf ssh-config install as yourself",
    });
  }
  const mode = isSystem ? 0o644 : 0o600;
  const old = readOurs(path);
  replaceFile(path, text, mode);
  const restore = () => {
    if (old === undefined) rmSync(path, { force: true });
    else replaceFile(path, old, mode);
  };
  if (isSystem) return restore;
  try {
    const exclude = addInclude(configPath, isWindows() ? configWord(path) : path);
    return () => {
      exclude();
      restore();
    };
  } catch (error) {
    restore();
    throw error;
  }
}

/** What is at `path`; undefined: nothing. Throws ERR_CONFLICT for a file that is not ours. */
function readOurs(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  const text = found.isFile() && isOwn(found) ? readFileSync(path, "utf8") : "";
  if (text.startsWith(DROP_IN_MARK)) return text;
  throw new QfError("ERR_CONFLICT", `${path} is not ours, so it is left alone`, { hint: "move it away" });
}

function removeDropIn(path: string): boolean {
  if (readOurs(path) === undefined) return false;
  rmSync(path);
  return true;
}

function isWindows(): boolean {
  return platform.openssh === "windows";
}

function argsFor(configPath: string): string[] {
  return ["-F", existsSync(configPath) ? configPath : "none"];
}

/** Our lines must mean nothing to anybody else. */
function checkUnchanged(before: EffectiveOptions, after: EffectiveOptions): void {
  const names = new Set([...before.keys(), ...after.keys()]);
  const changed = [...names].filter((name) => before.get(name)?.join("\n") !== after.get(name)?.join("\n"));
  if (changed.length === 0) return;
  throw new QfError("ERR_SSH", `the configuration would change ${changed.join(", ")} for other hosts`, {
    hint: "nothing was changed; please report it with your ssh configuration",
  });
}

/** Throws when ssh does not go through us; says what is weaker than it should be. */
function checkPeer(effective: EffectiveOptions, configPath: string): string[] {
  if (!isOurs(effective)) {
    throw new QfError("ERR_SSH", `${configPath} does not include the drop-in, or sets a ProxyCommand first`, {
      hint: "it must include ssh_config.d/*.conf before any Host or Match that is for every host",
    });
  }
  const { needed, hostKeys, wanted } = weakenedOptions(effective);
  const warning = (names: readonly string[], what: string) =>
    names.length === 0 ? [] : [`an earlier line of your ssh configuration sets ${names.join(", ")}: ${what}`];
  return [
    ...warning(needed, "connections to peers are refused until it does not"),
    ...warning(hostKeys, "qf, not ssh, checks the host keys of peers"),
    ...warning(wanted, "ssh may offer peers other ways to sign in"),
  ];
}

async function askDomain(environment: Environment): Promise<string> {
  const machine = await readPublicClient(environment);
  const own = existsSync(clientFolderPath(environment))
    ? (await (await openClientFolder(environment)).readConfig()).managementUrl
    : undefined;
  const url = environment.QF_MANAGEMENT_URL || own || machine?.managementUrl;
  if (url !== undefined) return (await createClientApi({ url }).config()).domain;
  throw new QfError("ERR_USAGE", "no management server is known, so neither is the account's domain", {
    hint: "run qf login --management-url URL before, or give --domain",
  });
}

function ownExecutable(): string {
  if (isCompiled()) return process.execPath;
  throw new QfError("ERR_UNAVAILABLE", "only the built qf can be put into ssh_config");
}

/** Everybody's ssh would run it: nobody but root may be able to change it. */
function checkRootOwned(executable: string): void {
  for (let path = executable; ; path = dirname(path)) {
    const { uid, mode } = lstatSync(path);
    const isOpen = (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
    if (uid !== 0 || isOpen) {
      throw new QfError("ERR_PERMISSION", `${path} can be changed by others than root`, {
        hint: "install qf in /usr/local/bin, owned by root",
      });
    }
    if (path === "/") return;
  }
}

function findSsh({ ssh, environment }: SshConfigOptions): string {
  const found = ssh ?? opensshPath(environment);
  if (found !== null) return found;
  throw new QfError("ERR_UNAVAILABLE", "there is no ssh on this machine", { hint: "use qf ssh" });
}
