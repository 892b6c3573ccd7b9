/**
 * An agent as its starter sees it, and the parts that it is started with.
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
  /** Makes the SSH server; tests pass a fake. */
  createSshServer(serverContext: ServerContext): SshServer;
  readonly runtimeDir?: string | undefined;
  /** From the agent that this one takes over from. Absent: there is none. */
  readonly inherited?: Inherited;
  /**
   * Another process was to take over and did not come: what was handed over may be taken back, by another
   * agent in this process. Absent: nobody does.
   */
  onDeserted?(inherited: Inherited): void;
  /** For tests: how long a successor may take until it serves. */
  readonly servesMsMax?: number;
  /** For tests; see `sync-client.ts`. */
  readonly heartbeatMs?: number;
}

export interface Agent {
  status(): AgentStatus;
  /** Applies changed flags live. Throws ERR_USAGE, ERR_ADDRESS_IN_USE …, with nothing changed. */
  apply(change: FlagChange): Promise<void>;
  /** Whether it may be taken over from, and was. */
  readonly succession: Pick<Succession, "expect" | "isExpecting" | "isFollowed" | "pids">;
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
  /** The account's log, as this machine witnesses it, and the journal of its own batches. */
  readonly witness: { readonly log: LogWitness; readonly journal: BatchJournal };
}
