/**
 * `qf agent down`: stops the agent and waits until it has ended.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import { DEFAULT_STATE_DIR } from "../../base/state-dir.ts";
import type { Environment } from "../contracts/flags.ts";
import { askAgent, askStatus } from "../control-socket/control-client.ts";
import { chooseStateDir } from "../state/state-dir.ts";
import { isStateLocked } from "../state/state-lock.ts";
import { stopService } from "./systemd-unit.ts";

const STOPPED_MS_MAX = 20_000;

/** Resolves with false when none ran. Throws ERR_PERMISSION, or ERR_TIMEOUT when it does not end. */
export async function agentDown(options: {
  readonly stateDir: string | undefined;
  readonly environment: Environment;
}): Promise<boolean> {
  const stateDir = chooseStateDir(options.stateDir, options.environment);
  const wasService = stateDir === DEFAULT_STATE_DIR && process.geteuid?.() === 0 && (await stopService());
  const isRunning = (await askStatus(stateDir)) !== undefined;
  if (!isRunning) return wasService;
  await askAgent(stateDir, { do: "down" });
  for (let waitedMs = 0; waitedMs < STOPPED_MS_MAX; waitedMs += 20) {
    if ((await askStatus(stateDir)) === undefined && !(await isStateLocked(stateDir))) return true;
    await Bun.sleep(20);
  }
  throw new QfError("ERR_TIMEOUT", "the agent does not end", { hint: "see agent.log in its state folder" });
}
