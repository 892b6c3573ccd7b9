/**
 * Starts the agent of an enrolled state folder: opens lock, keys and spool, then hands over to
 * `running-agent.ts`. Enrolment comes before (`prepare.ts`).
 *
 * @module
 */
import { openSpool, type Spool } from "../../audit/spool.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { AgentStatus } from "../../wire/control.ts";
import type { FlagChange } from "../contracts/flags.ts";
import type { ServerContext, SshServer } from "../contracts/server-context.ts";
import { type AgentKeys, openKeys, prepareStateDir, readAgentFile, type StatePaths } from "../state/state.ts";
import { lockState, type StateLock } from "../state/state-lock.ts";
import { RunningAgent } from "./running-agent.ts";

export interface StartAgentOptions {
  readonly stateDir: string;
  readonly log: Log;
  readonly clock?: Clock;
  /** Makes the SSH server; tests pass a fake. */
  createSshServer(serverContext: ServerContext): SshServer;
  readonly runtimeDir?: string | undefined;
  /** For tests; see `sync-client.ts`. */
  readonly heartbeatMs?: number;
}

export interface Agent {
  status(): AgentStatus;
  /** Applies changed flags live. Throws ERR_USAGE, ERR_ADDRESS_IN_USE …, with nothing changed. */
  apply(change: FlagChange): Promise<void>;
  /** Stops in order, once. */
  stop(): Promise<void>;
  /** Resolves when it has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
}

/** What is opened before an agent starts, and closed by it. */
export interface AgentParts {
  readonly paths: StatePaths;
  readonly lock: StateLock;
  readonly keys: AgentKeys;
  readonly clock: Clock;
  readonly spool: Spool;
}

/**
 * Starts the agent of `stateDir`, which must be enrolled. Throws ERR_NOT_ENROLLED, ERR_CONFLICT (one
 * runs there), ERR_STATE_DAMAGED, ERR_ADDRESS_IN_USE …, with everything put back.
 */
export async function startAgent(options: StartAgentOptions): Promise<Agent> {
  const paths = await prepareStateDir(options.stateDir);
  const lock = await lockState(options.stateDir);
  const undo: (() => Promise<unknown>)[] = [() => lock.release()];
  try {
    const file = await readAgentFile(paths);
    if (file?.enrolled === undefined) {
      throw new QfError("ERR_NOT_ENROLLED", `the state folder ${options.stateDir} is not enrolled`, {
        hint: "run qf agent up with --management-url and --setup-key",
      });
    }
    const keys = await openKeys(paths, { mustExist: true });
    const clock = options.clock ?? systemClock;
    const { spool } = await openSpool({ directory: paths.audit, clock, log: options.log });
    undo.unshift(() => spool.close());
    const agent = new RunningAgent(options, { paths, lock, keys, clock, spool }, file.flags, file.enrolled);
    undo.unshift(() => agent.stop());
    await agent.start();
    return agent;
  } catch (cause) {
    for (const step of undo) await step().catch(() => {});
    throw cause;
  }
}
