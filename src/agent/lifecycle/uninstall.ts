/**
 * `qf agent down --uninstall`: removes the service and everything that an agent keeps on this machine.
 *
 * @module
 */
import { readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Environment } from "../contracts/flags.ts";
import { controlSocketPath } from "../control-socket/control-path.ts";
import { findServiceManager } from "../service/service-manager.ts";
import { statePaths } from "../state/state.ts";
import { chooseStateDir } from "../state/state-dir.ts";

/** Names of ours in a state folder, set-aside files and unfinished ones as well. */
const OWN = [
  /^(?:agent|device-key|host-keys|map|confirmed|versions)\.json(?:\..*)?$/,
  /^agent\.log(?:\.1)?$/,
  /^(?:audit|public|lock)$/,
];

/**
 * Removes what is ours, and the folder itself unless something else is in it. The agent must have stopped.
 * Nothing there is no failure.
 */
export async function uninstallAgent(options: {
  readonly stateDir: string | undefined;
  readonly environment: Environment;
}): Promise<void> {
  const stateDir = chooseStateDir(options.stateDir, options.environment);
  const uid = process.geteuid?.() ?? 0;
  await findServiceManager(stateDir, options.environment)?.remove();
  const paths = statePaths(stateDir);
  const socket = controlSocketPath(paths, { uid, runtimeDir: options.environment.XDG_RUNTIME_DIR });
  if (dirname(socket) !== paths.publicDirectory) await rm(dirname(socket), { recursive: true, force: true });
  for (const name of await readdir(stateDir).catch(() => [])) {
    if (OWN.some((form) => form.test(name))) await rm(join(stateDir, name), { recursive: true, force: true });
  }
  await rmdir(stateDir).catch(() => {});
}
