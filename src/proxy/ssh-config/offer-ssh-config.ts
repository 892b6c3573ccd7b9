/**
 * Setting OpenSSH up along the way: for everybody when an agent comes up as root, for a person who is
 * asked once at `qf login`. Never fails what it goes along with.
 *
 * @module
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../base/errors.ts";
import { clientFolderPath } from "../../client/client-folder.ts";
import { processTerminal, type Terminal } from "../../client/terminal.ts";
import type { Environment } from "../keys/openssh-folder.ts";
import { isOurs, readEffective } from "./effective.ts";
import { opensshPath } from "./openssh-path.ts";
import { type Installed, installSshConfig, PROBE_LABEL, type SshConfigOptions } from "./ssh-config.ts";

/** Left in the config folder by somebody who said no. */
const DECLINED_FILE = "ssh-config-declined";
/** Longest wait for the answer. */
const ANSWER_MS = 60_000;

export interface OfferOptions {
  /** `agent`: root's, for everybody, without asking. `login`: a person's, when they agree. */
  readonly occasion: "agent" | "login";
  /** The account's domain. */
  readonly domain: string;
  readonly environment?: Environment;
  readonly terminal?: Terminal;
  /** Where and what instead of the usual. */
  readonly change?: Partial<SshConfigOptions>;
}

/**
 * Installs the drop-in unless `QF_DISABLE_SSH_CONFIG=1`, there is no ssh, peers are set up already, or the
 * person does not want it. Undefined: nothing was done. Says why when it could not be done.
 */
export async function maybeInstallSshConfig(options: OfferOptions): Promise<Installed | undefined> {
  const { domain, occasion, environment = process.env, terminal = processTerminal } = options;
  if (environment.QF_DISABLE_SSH_CONFIG === "1") return undefined;
  const ssh = options.change?.ssh ?? opensshPath(environment);
  if (ssh === null) return undefined;
  const isSystem = occasion === "agent";
  if (isSystem && process.getuid?.() !== 0) return undefined;
  try {
    if (!isSystem && !(await isWanted({ ssh, environment, terminal, domain }))) return undefined;
    const plain = { environment, isSystem, shortNames: false, domain, ssh };
    return await installSshConfig({ ...plain, ...options.change });
  } catch (error) {
    if (!isQfError(error)) throw error;
    terminal.say(`qf: warning: ssh was not set up: ${error.message}`);
    if (error.hint !== undefined) terminal.say(`qf: hint: ${error.hint}`);
    return undefined;
  }
}

interface Question {
  readonly ssh: string;
  readonly environment: Environment;
  readonly terminal: Terminal;
  readonly domain: string;
}

async function isWanted({ ssh, environment, terminal, domain }: Question): Promise<boolean> {
  const declined = join(clientFolderPath(environment), DECLINED_FILE);
  if (existsSync(declined) || !terminal.canAsk()) return false;
  const { effective } = await readEffective({ ssh, args: [], host: `${PROBE_LABEL}.${domain}`, environment });
  if (effective !== undefined && isOurs(effective)) return false;
  const prompt = `Set up ssh, scp, git and others for *.${domain} in ~/.ssh/config? [Y/n] `;
  const answer = await terminal.ask(prompt, AbortSignal.timeout(ANSWER_MS)).catch(() => undefined);
  if (answer === undefined) return false;
  if (/^(?:y|yes|)$/i.test(answer)) return true;
  writeFileSync(declined, "", { mode: 0o600 });
  terminal.say("It can be done later with qf ssh-config install.");
  return false;
}
