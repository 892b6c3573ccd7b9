/**
 * Finds the service manager that starts the agent at boot and restarts it: systemd, OpenRC or runit.
 *
 * Only a user's default state folder gets a service. Agents on other folders run as separate processes.
 *
 * @module
 */
import { defaultStateDir } from "../../base/state-dir.ts";
import type { Environment } from "../contracts/flags.ts";
import type { ServiceManager } from "./manager-contract.ts";
import { openrcManager } from "./openrc.ts";
import { runitManager } from "./runit.ts";
import { systemdManager, systemdUserManager } from "./systemd.ts";

/** The manager for the agent of `stateDir`. Null: the agent runs as a separate process. */
export function findServiceManager(stateDir: string, environment: Environment): ServiceManager | null {
  const uid = process.geteuid?.() ?? 0;
  if (stateDir !== defaultStateDir(uid, environment)) return null;
  if (uid !== 0) return systemdUserManager(environment);
  return systemdManager() ?? openrcManager() ?? runitManager();
}
