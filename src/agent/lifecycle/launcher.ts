/**
 * The launcher through which a service manager runs an agent. It is the agent's parent and passes signals on.
 *
 * When a service is restarted, only its launcher ends; the agent serves until its successor does.
 *
 * @module
 */
import type { Environment } from "../contracts/flags.ts";
import { isUnitRestarted, isUnitUp } from "../service/systemd.ts";

export interface Launcher {
  /** Whether the service is being restarted rather than stopped. */
  isRestarted(): Promise<boolean>;
  /** Whether the service should run. Asked once the launcher is gone. */
  isWanted(): Promise<boolean>;
  isGone(): boolean;
  /** Lets the launcher end although the agent goes on. */
  letGo(): void;
}

/** How long an agent without a launcher waits for a successor if it has no service manager to ask. */
const UNKNOWN_MS_MAX = 60_000;

/** Null: this process was not started by a launcher. */
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
