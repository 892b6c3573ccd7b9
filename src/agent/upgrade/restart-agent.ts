/**
 * Restarts the agent from the executable that is now in place.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import type { Environment } from "../contracts/flags.ts";
import { askStatus } from "../control-socket/control-client.ts";

/** Time-out. `agent up` itself gives up sooner. */
const MS_MAX = 120_000;

/** Number of sessions of the agent running on `stateDir`. Null: no agent runs there. */
export async function openSessions(stateDir: string): Promise<number | null> {
  return (await askStatus(stateDir))?.sshServer.sessions.length ?? null;
}

/** Runs `agent up` of `executable` on `stateDir`. Throws ERR_UNAVAILABLE with its error. */
export async function restartAgent(
  executable: string,
  stateDir: string,
  environment: Environment,
): Promise<void> {
  const child = Bun.spawn([executable, "agent", "up", "--state-dir", stateDir], {
    env: { ...environment, QF_STATE_DIR: undefined },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: MS_MAX,
  });
  const said = await new Response(child.stderr).text();
  if ((await child.exited) === 0) return;
  throw new QfError(
    "ERR_UNAVAILABLE",
    /^qf: error: (.*)$/m.exec(said)?.[1] ?? "the agent ended without a word",
  );
}
