/**
 * Keeps the list of machines that OpenSSH may reach without their domain (`--short-names`): those whose name
 * an administrator has confirmed, so that no machine can take the place of another by its name.
 *
 * `qf login` and `qf ssh-config install` fetch it whole; each connection says it of its own target.
 *
 * @module
 */
import { join } from "node:path";
import { isQfError } from "../../base/errors.ts";
import { type ClientSession, openClientSession } from "../../client/client-session.ts";
import { isDnsName } from "../../client/peer-name.ts";
import { askNames } from "../../client/target.ts";
import type { NamesResponse, TargetInfo } from "../../wire/client-api.ts";
import { replaceFile } from "../keys/key-readers.ts";
import { type Environment, openOpensshFolder } from "../keys/openssh-folder.ts";
import { readShortNames, SHORT_NAMES_FILE } from "./match.ts";

/** Names kept of all accounts together. */
const NAMES_MAX = 8_192;

/**
 * Fetches the list and keeps it. Undefined when this device may not ask, is not registered, or management
 * cannot
 *  be reached: what is kept stays as it is.
 */
export async function refreshShortNames(options: {
  readonly environment: Environment;
  readonly configDir: string | undefined;
  /** Default: the person's own. */
  readonly session?: ClientSession;
}): Promise<readonly string[] | undefined> {
  const { environment, configDir } = options;
  try {
    const session = options.session ?? (await openClientSession({ environment, interactive: false }));
    const answer = await askNames(session);
    keepShortNames(openOpensshFolder(environment, configDir), answer);
    return answer.names;
  } catch (error) {
    if (!isQfError(error)) throw error;
    return undefined;
  }
}

/** Replaces what is kept of that domain. */
export function keepShortNames(folder: string, { domain, names }: NamesResponse): void {
  const others = readShortNames(folder).filter((name) => parentOf(name) !== domain);
  write(folder, [...names.map((name) => `${name}.${domain}`), ...others]);
}

/** What management said of one machine when a connection to it was made. */
export function noteShortName(folder: string, target: Pick<TargetInfo, "name" | "nameConfirmed">): void {
  const current = readShortNames(folder);
  const isConfirmed = target.nameConfirmed === true;
  if (current.includes(target.name) === isConfirmed) return;
  write(folder, isConfirmed ? [target.name, ...current] : current.filter((name) => name !== target.name));
}

function write(folder: string, names: readonly string[]): void {
  const validNames = [...new Set(names.filter(isDnsName))].slice(0, NAMES_MAX);
  replaceFile(join(folder, SHORT_NAMES_FILE), validNames.map((name) => `${name}\n`).join(""));
}

function parentOf(name: string): string {
  return name.slice(name.indexOf(".") + 1);
}
