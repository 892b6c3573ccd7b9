/**
 * Parts of an agent from which its status report is made.
 *
 * @module
 */
import type { SpoolState } from "../../audit/spool-contract.ts";
import type { AgentFlagsStored, Enrolled } from "../../wire/agent-state-file.ts";
import type { LiveSession } from "../../wire/agent-sync.ts";
import type { AgentStatus } from "../../wire/control.ts";
import type { LogAlarm } from "../../wire/log-witness.ts";
import type { NetworkMap } from "../../wire/network-map.ts";
import type { PeerId } from "../../wire/units.ts";
import type { SyncState } from "../control-link/sync-client.ts";
import type { PeerPath } from "../listeners/peer-paths.ts";
import type { RefusalSums } from "../listeners/refusals.ts";

export interface StatusParts {
  readonly state: AgentStatus["state"];
  readonly enrolled: Enrolled;
  readonly flags: AgentFlagsStored;
  readonly privileged: boolean;
  readonly map: NetworkMap | null;
  readonly mapAgeSeconds: number;
  readonly sync: SyncState | null;
  readonly listening: readonly string[];
  /** Addresses that management gives others to dial. */
  readonly advertised: readonly string[];
  /** Addresses that accept any SSH client. */
  readonly plainListening: readonly string[];
  readonly relay: { readonly connected: boolean; readonly streams: number };
  readonly refused: RefusalSums;
  readonly sessions: readonly LiveSession[];
  readonly spool: SpoolState;
  pathOf(peerId: PeerId): PeerPath | undefined;
  /** A problem that the agent itself found. Null: none. */
  readonly problem: string | null;
  /** Failures of features for other programs on this machine. */
  readonly programProblems: readonly string[];
  /** Contradictory checkpoints of the account's log. */
  readonly alarms: readonly LogAlarm[];
}
