/**
 * The launcher by which a service manager runs an agent: its parent, through which signals come.
 *
 * A service that is started again loses only its launcher: the agent serves until its successor does.
 *
 * @module
 */
import type { Environment } from "../contracts/flags.ts";
import { isUnitRestarted, isUnitUp } from "../service/systemd.ts";

export interface Launcher {
  /** Whether the service is being started again, and not stopped. */
  isRestarted(): Promise<boolean>;
  /** Whether the service is to run. Asked once its launcher is gone. */
  isWanted(): Promise<boolean>;
  isGone(): boolean;
  /** Lets it end, though the agent goes on. */
  letGo(): void;
}

/** Longest that an agent without a launcher waits for a successor where nobody can be asked. */
const UNKNOWN_MS_MAX = 60_000;

/** Null: this process was not started by one. */
export function findLauncher(environment: Environment, parentPid = process.ppid): Launcher | null {
  const isSystemd = Boolean(environment.NOTIFY_SOCKET);
  if (!isSystemd && environment.QF_LAUNCHER !== String(parentPid)) return null;
  let goneAtMs: number | null = null;
  return {
    isRestarted: async () => isSystemd && (await isUnitRestarted()),
    async isWanted() {
      if (isSystemd) return await isUnitUp();
      goneAtMs ??= performance.now();
      return performance.now() - goneAtMs < UNKNOWN_MS_MAX;
    },
    isGone: () => process.ppid !== parentPid,
    letGo() {
      if (process.ppid === parentPid) process.kill(parentPid, "SIGUSR1");
    },
  };
}
