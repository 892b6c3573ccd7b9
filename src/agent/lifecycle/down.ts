/**
 * `qf agent down`: stops the agent and waits until it has ended.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import type { Environment } from "../contracts/flags.ts";
import { askAgent, askStatus } from "../control-socket/control-client.ts";
import { findServiceManager } from "../service/service-manager.ts";
import { chooseStateDir } from "../state/state-dir.ts";
import { isStateLocked } from "../state/state-lock.ts";

const STOPPED_MS_MAX = 20_000;

/** Resolves with false if no agent ran. Throws ERR_PERMISSION, or ERR_TIMEOUT if it does not end. */
export async function agentDown(options: {
  readonly stateDir: string | undefined;
  readonly environment: Environment;
}): Promise<boolean> {
  const stateDir = chooseStateDir(options.stateDir, options.environment);
  const wasService = (await findServiceManager(stateDir, options.environment)?.stop()) ?? false;
  return (await stopAgent(stateDir)) || wasService;
}

/** Stops the agent of `stateDir`, if one runs, and waits until it has ended. Throws like `agentDown`. */
export async function stopAgent(stateDir: string): Promise<boolean> {
  if ((await askStatus(stateDir)) === undefined) return false;
  await askAgent(stateDir, { do: "down" });
  for (let waitedMs = 0; waitedMs < STOPPED_MS_MAX; waitedMs += 20) {
    if ((await askStatus(stateDir)) === undefined && !(await isStateLocked(stateDir))) return true;
    await Bun.sleep(20);
  }
  throw new QfError("ERR_TIMEOUT", "the agent does not end", { hint: "see agent.log in its state folder" });
}
