/**
 * The interface of an agent for its starter, and the parts that it is started with.
 *
 * @module
 */
import type { BatchJournal } from "../../audit/batch-journal.ts";
import type { Spool } from "../../audit/spool-contract.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { AgentStatus } from "../../wire/control.ts";
import type { FlagChange } from "../contracts/flags.ts";
import type { Inherited } from "../contracts/inherited.ts";
import type { ServerContext, SshServer } from "../contracts/server-context.ts";
import type { LogWitness } from "../control-link/log-witness.ts";
import type { Succession } from "../handover/succession.ts";
import type { AgentKeys, StatePaths } from "../state/state.ts";
import type { StateLock } from "../state/state-lock.ts";

export interface StartAgentOptions {
  readonly stateDir: string;
  readonly log: Log;
  readonly clock?: Clock;
  /** Makes the SSH server. Tests pass a fake. */
  createSshServer(serverContext: ServerContext): SshServer;
  readonly runtimeDir?: string | undefined;
  /** Handed over by the agent that this one replaces. Absent: there is none. */
  readonly inherited?: Inherited;
  /**
   * Called when an expected successor did not come. Another agent in this process may take back what was
   * handed over. Absent: none does.
   */
  onDeserted?(inherited: Inherited): void;
  /** For tests: longest time until a successor serves. */
  readonly servesMsMax?: number;
  /** For tests; see `sync-client.ts`. */
  readonly heartbeatMs?: number;
}

export interface Agent {
  status(): AgentStatus;
  /**
   * Applies changed flags to the running agent. Throws ERR_USAGE, ERR_ADDRESS_IN_USE …, with nothing changed.
   */
  apply(change: FlagChange): Promise<void>;
  /** Whether a successor is expected or has taken over. */
  readonly succession: Pick<Succession, "expect" | "isExpecting" | "isFollowed" | "pids">;
  /** Stops the parts in order. Only the first call counts. */
  stop(): Promise<void>;
  /** Resolves when the agent has stopped for any reason. */
  readonly stopped: Promise<void>;
}

/** Resources opened before an agent starts. The agent closes them. */
export interface AgentParts {
  readonly paths: StatePaths;
  readonly lock: StateLock;
  readonly keys: AgentKeys;
  readonly clock: Clock;
  readonly spool: Spool;
  /** The account's log as this machine witnesses it, and the journal of the machine's own batches. */
  readonly witness: { readonly log: LogWitness; readonly journal: BatchJournal };
}
