/**
 * `qf agent up --foreground`: the agent in this process, until it is told to stop.
 *
 * Under systemd it says when it serves and that it is alive, and ends with its launcher.
 *
 * @module
 */
import { isQfError } from "../../base/errors.ts";
import { createLog, type Log, logLevelOf } from "../../base/log.ts";
import { notifySystemd, watchdogMs } from "../../base/sd-notify.ts";
import type { Environment } from "../contracts/flags.ts";
import { createSshServer } from "../ssh-server/server.ts";
import type { Agent } from "./agent-parts.ts";
import { proveLoginPath } from "./login-path.ts";
import { startAgent } from "./run.ts";

/** How often it is looked whether the launcher is still there. */
const LAUNCHER_MS = 1_000;

/** Resolves when it has stopped. Throws what `startAgent` throws. */
export async function runForeground(stateDir: string, environment: Environment): Promise<void> {
  const log = createLog(logLevelOf(environment));
  const agent = await startAgent({
    stateDir,
    log,
    createSshServer,
    runtimeDir: environment.XDG_RUNTIME_DIR,
  });
  const stop = () => void agent.stop();
  process.on("SIGTERM", stop).on("SIGINT", stop).on("SIGHUP", stop);
  const timers = environment.NOTIFY_SOCKET ? await tellSystemd(agent, { stateDir, environment, log }) : [];
  await agent.stopped;
  for (const timer of timers) clearInterval(timer);
}

async function tellSystemd(
  agent: Agent,
  on: { readonly stateDir: string; readonly environment: Environment; readonly log: Log },
): Promise<NodeJS.Timeout[]> {
  const { environment } = on;
  const launcher = process.ppid;
  // Without it nothing would pass a signal on, and its successor would find the state folder taken.
  const watch = setInterval(() => {
    if (process.ppid !== launcher) void agent.stop();
  }, LAUNCHER_MS);
  const aliveMs = watchdogMs(environment);
  const alive =
    aliveMs === null ? [] : [setInterval(() => notifySystemd("WATCHDOG=1", environment), aliveMs)];
  void agent.stopped.then(() => notifySystemd("STOPPING=1", environment));
  try {
    if (agent.status().sshServer.enabled) await proveLoginPath(on.stateDir);
    notifySystemd("READY=1", environment);
  } catch (error) {
    // Never ready: systemd tries again. Meanwhile management and status can be asked.
    on.log.error(
      "logins do not work on this machine",
      isQfError(error) ? { reason: error.message } : {},
      error,
    );
  }
  return [watch, ...alive];
}
