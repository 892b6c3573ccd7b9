/**
 * The folder that OpenSSH reads: one private key and certificate per host, and host keys.
 *
 * The path is written into ssh_config, so it must be the same for all of a person's processes, whatever their
 * environment: `<config folder>/openssh`, or under HOME, which ssh(1) expands too. If there is a runtime
 * folder that disappears with the session, the path is a symbolic link into it.
 *
 * @module
 */
import { lstatSync, mkdirSync, renameSync, statSync, symlinkSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { QfError } from "../../base/errors.ts";
import { newId } from "../../base/new-id.ts";
import { platform } from "../../base/platform/platform.ts";

/** Environment variables that select the folder. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Path below HOME when no other config folder is named. A drop-in for all users contains it. */
export const DEFAULT_CONFIG_PATH = ".config/qufabric";

/** Path as written into ssh_config. `configDir`: `--config-dir`; undefined: the person's HOME. */
export function opensshFolderPath(environment: Environment, configDir: string | undefined): string {
  return join(configDir ?? join(homeOf(environment), DEFAULT_CONFIG_PATH), "openssh");
}

/**
 * Creates the folder if missing. Throws ERR_PERMISSION when it, or its link target, is open to others or has
 * another owner.
 */
export function openOpensshFolder(environment: Environment, configDir: string | undefined): string {
  const path = opensshFolderPath(environment, configDir);
  mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
  if (!isThere(path)) make(path, environment);
  const found = statSync(path);
  const isOurs = found.isDirectory() && platform.ownership.intruder(path, found) === null;
  const link = lstatSync(path);
  if (isOurs && (!link.isSymbolicLink() || link.uid === process.getuid?.())) return path;
  throw new QfError("ERR_PERMISSION", `the folder ${path} is open to others or belongs to somebody else`, {
    hint: `move it away; it holds nothing that must be kept`,
  });
}

/** A dangling link counts as missing: its session has ended. */
function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The first process creates it; the others find it. */
function make(path: string, environment: Environment): void {
  const session = sessionFolder(environment);
  try {
    if (session === undefined) {
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
        renameSync(path, `${path}.${newId()}.old`);
      mkdirSync(path, { mode: 0o700 });
      platform.ownership.closeToOthers(path);
      return;
    }
    mkdirSync(session, { recursive: true, mode: 0o700 });
    const fresh = `${path}.${newId()}.new`;
    symlinkSync(session, fresh);
    renameSync(fresh, path);
  } catch (error) {
    if (!isThere(path)) throw error;
  }
}

function sessionFolder(environment: Environment): string | undefined {
  const runtime = environment.XDG_RUNTIME_DIR;
  if (runtime === undefined || !isAbsolute(runtime)) return undefined;
  const found = lstatSync(runtime, { throwIfNoEntry: false });
  const isOurs = found?.isDirectory() === true && found.uid === process.getuid?.();
  return isOurs && (found.mode & 0o077) === 0 ? join(runtime, "qufabric", "openssh") : undefined;
}

function homeOf(environment: Environment): string {
  const home = [environment.HOME, environment.USERPROFILE].find((path) => path && isAbsolute(path));
  if (home !== undefined) return home;
  throw new QfError("ERR_USAGE", "HOME is not set", { hint: "set HOME to your home folder" });
}
