/**
 * `qf agent down --uninstall`: removes the service and all of the agent's files on this machine.
 *
 * @module
 */
import { readdir, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Environment } from "../contracts/flags.ts";
import { controlSocketPath } from "../control-socket/control-path.ts";
import { takeBackLeftovers } from "../intercept/local-programs.ts";
import { findServiceManager } from "../service/service-manager.ts";
import { readAgentFile, type StatePaths, statePaths } from "../state/state.ts";
import { chooseStateDir } from "../state/state-dir.ts";

/** Files of a state folder that `statePaths` does not know. */
const MORE = ["lock", "upgrade.lock", "versions.json"];

/**
 * Removes our files, and the folder unless it holds others. The agent must have stopped. A missing folder is
 * no failure.
 */
export async function uninstallAgent(options: {
  readonly stateDir: string | undefined;
  readonly environment: Environment;
}): Promise<void> {
  const stateDir = chooseStateDir(options.stateDir, options.environment);
  const uid = process.geteuid?.() ?? 0;
  await findServiceManager(stateDir, options.environment)?.remove();
  const paths = statePaths(stateDir);
  const stored = await readAgentFile(paths).catch(() => undefined);
  if (stored?.enrolled !== undefined) await takeBackLeftovers(stored.enrolled.peerId);
  const socket = controlSocketPath(paths, { uid, runtimeDir: options.environment.XDG_RUNTIME_DIR });
  if (dirname(socket) !== paths.publicDirectory) await rm(dirname(socket), { recursive: true, force: true });
  for (const name of await readdir(stateDir).catch(() => [])) {
    if (isOurs(name, paths)) await rm(join(stateDir, name), { recursive: true, force: true });
  }
  await rmdir(stateDir).catch(() => {});
}

/** Includes files that were set aside or left unfinished by a killed process: the name plus a suffix. */
function isOurs(name: string, paths: StatePaths): boolean {
  const names = [...Object.values(paths).filter((path) => dirname(path) === paths.directory), ...MORE];
  return names.some((path) => name === basename(path) || name.startsWith(`${basename(path)}.`));
}
