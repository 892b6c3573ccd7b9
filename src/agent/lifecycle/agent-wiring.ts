/**
 * Connects the parts of a running agent: status, control link and listeners.
 *
 * @module
 */

import type { SpoolState } from "../../audit/spool-contract.ts";
import { readJsonState } from "../../base/files.ts";
import type { AgentFlagsStored, Enrolled } from "../../wire/agent-state-file.ts";
import type { LiveSession } from "../../wire/agent-sync.ts";
import type { AgentStatus } from "../../wire/control.ts";
import { UpgradeRecord } from "../../wire/upgrade-report.ts";
import type { MapHolder } from "../control-link/map-holder.ts";
import { createSyncClient, type SyncClient, type SyncClientOptions } from "../control-link/sync-client.ts";
import { UpgradeLink } from "../control-link/upgrade-link.ts";
import type { Succession } from "../handover/succession.ts";
import { createListeners, type Listeners, type ListenersOptions } from "../listeners/listeners.ts";
import type { PeerPaths } from "../listeners/peer-paths.ts";
import { pingAnswer } from "../listeners/pings.ts";
import { NOTHING_REFUSED } from "../listeners/refusals.ts";
import type { StatusParts } from "../status/status-parts.ts";
import { buildStatus } from "../status/status-report.ts";
import type { AgentParts, StartAgentOptions } from "./agent-parts.ts";
import { machineFacts } from "./facts.ts";
import { startOrdered } from "./start-ordered.ts";

export interface StatusOptions {
  readonly state: AgentStatus["state"];
  readonly enrolled: Enrolled;
  readonly flags: AgentFlagsStored;
  readonly privileged: boolean;
  /** Absent: not made yet. */
  readonly maps?: MapHolder;
  readonly sync?: SyncClient;
  readonly listeners?: Listeners;
  /** Sessions of this agent, and of earlier ones that still serve theirs. */
  readonly sessions: readonly LiveSession[];
  readonly spool: SpoolState;
  readonly paths: PeerPaths;
  readonly problem: string | null;
  readonly programProblems: StatusParts["programProblems"];
  readonly alarms: StatusParts["alarms"];
}

export function statusOf(options: StatusOptions): AgentStatus {
  const { state, enrolled, flags, privileged, maps, listeners, spool, problem, programProblems, alarms } =
    options;
  return buildStatus({
    ...{ state, enrolled, flags, privileged, spool, problem, programProblems, alarms },
    map: maps?.snapshot()?.map ?? null,
    mapAgeSeconds: maps?.ageSeconds() ?? Number.POSITIVE_INFINITY,
    sync: options.sync?.state() ?? null,
    listening: listeners?.listener.addresses() ?? [],
    plainListening: listeners?.plain.addresses() ?? [],
    relay: listeners?.relay.state() ?? { connected: false, streams: 0 },
    refused: listeners?.refused() ?? NOTHING_REFUSED,
    sessions: options.sessions,
    advertised: listeners?.advertisedAddresses(flags) ?? [],
    pathOf: (peerId) => options.paths.of(peerId),
  });
}

type Report = ReturnType<SyncClientOptions["report"]>;

export interface ConnectOptions
  extends Pick<SyncClientOptions, "maps" | "sessions" | "approvals" | "kill" | "onGone" | "onMoved"> {
  readonly options: Pick<StartAgentOptions, "log" | "heartbeatMs">;
  readonly parts: Pick<AgentParts, "clock" | "keys" | "spool" | "witness" | "paths">;
  readonly enrolled: Enrolled;
  readonly bootId: string;
  reportedFlags(): Report["flags"];
  direct(): string[];
  onReady(): void;
}

export function connectManagement(to: ConnectOptions): SyncClient {
  const { clock, keys, spool, witness, paths } = to.parts;
  const { log, heartbeatMs } = to.options;
  const { directory: stateDir, upgrade } = paths;
  const upgrades = new UpgradeLink({
    log,
    isAllowed: () => to.reportedFlags().managedUpgrades === true,
    start: (order) => startOrdered(order, { stateDir, url: to.enrolled.origin, environment: process.env }),
    read: () => readJsonState(upgrade, UpgradeRecord),
  });
  return createSyncClient({
    ...to,
    ...{ clock, log, spool, witness, upgrades },
    deviceKey: keys.deviceKey,
    report: () => ({
      facts: machineFacts(to.enrolled.name),
      flags: to.reportedFlags(),
      hostKeys: keys.hostKeyBlobs,
      direct: to.direct(),
    }),
    onGone: (message) => {
      log.error("this machine is no longer part of the account; nothing is allowed", { message });
      to.onGone(message);
    },
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
  });
}

export type ListenersParts = Pick<ListenersOptions, "maps" | "ssh" | "failures" | "hadPredecessor">;

export interface OpenListenersOptions
  extends ListenersParts,
    Pick<ListenersOptions, "penalties" | "paths" | "isManagementUp"> {
  readonly agent: Pick<AgentParts, "clock" | "keys" | "witness">;
  readonly options: Pick<StartAgentOptions, "log" | "inherited">;
  readonly enrolled: Enrolled;
  readonly succession: Pick<Succession, "isLeaving" | "tell">;
  isServing(): boolean;
}

export function openListeners(to: OpenListenersOptions): Listeners {
  const { clock, keys, witness } = to.agent;
  const { log, inherited } = to.options;
  return createListeners({
    ...to,
    ...{ clock, log, inherited },
    deviceKey: keys.deviceKey,
    witness: {
      // Checkpoints are stored in the state folder, which then belongs to another agent.
      meetHello: async (checkpoint) => {
        if (!to.succession.isLeaving) await witness.log.meetHello(checkpoint);
      },
    },
    onTaken: (hello) => to.succession.tell({ do: "hello", hello }),
    answerPing: () => {
      const [connected, isServing] = [to.isManagementUp(), to.isServing()];
      return pingAnswer({ clock, maps: to.maps, connected, isServing });
    },
  });
}
