/**
 * The program that starts the agent at boot and again when it ends: systemd, OpenRC or runit, whichever there
 * is.
 *
 * Only the usual state folder of a user has a service; agents on other folders are processes of their own.
 *
 * @module
 */
import { defaultStateDir } from "../../base/state-dir.ts";
import type { Environment } from "../contracts/flags.ts";
import type { ServiceManager } from "./manager-contract.ts";
import { openrcManager } from "./openrc.ts";
import { runitManager } from "./runit.ts";
import { systemdManager, systemdUserManager } from "./systemd.ts";

/** The manager for the agent of `stateDir`; null: it runs as a process of its own. */
export function findServiceManager(stateDir: string, environment: Environment): ServiceManager | null {
  const uid = process.geteuid?.() ?? 0;
  if (stateDir !== defaultStateDir(uid, environment)) return null;
  if (uid !== 0) return systemdUserManager(environment);
  return systemdManager() ?? openrcManager() ?? runitManager();
}
