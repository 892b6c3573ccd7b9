/**
 * The report of `qf agent status`, put together from what the parts of an agent know. Pure.
 *
 * @module
 */
import type { SpoolState } from "../../audit/spool.ts";
import { VERSION } from "../../base/build-info.ts";
import type { AgentFlagsStored } from "../../wire/agent-state-file.ts";
import type { LiveSession } from "../../wire/agent-sync.ts";
import type { AgentStatus } from "../../wire/control.ts";
import type { NetworkMap } from "../../wire/network-map.ts";
import type { PeerId } from "../../wire/units.ts";
import type { SyncState } from "../control-link/sync-client.ts";
import type { Enrolled } from "../lifecycle/enrol.ts";
import type { PeerPath } from "../listeners/peer-paths.ts";
import { REFUSALS_SECONDS, type RefusalSums } from "../listeners/refusals.ts";
import { findProblems } from "./problems.ts";

export interface StatusParts {
  readonly state: AgentStatus["state"];
  readonly enrolled: Enrolled;
  readonly flags: AgentFlagsStored;
  readonly privileged: boolean;
  readonly map: NetworkMap | null;
  readonly mapAgeSeconds: number;
  readonly sync: SyncState | null;
  readonly listening: readonly string[];
  /** Addresses told to management for others to dial. */
  readonly advertised: readonly string[];
  /** Where any SSH client is taken. */
  readonly plainListening: readonly string[];
  readonly relay: { readonly connected: boolean; readonly streams: number };
  readonly refused: RefusalSums;
  readonly sessions: readonly LiveSession[];
  readonly spool: SpoolState;
  pathOf(peerId: PeerId): PeerPath | undefined;
  /** What the agent itself found wrong. Null: nothing. */
  readonly problem: string | null;
}

/** Peers listed. */
const PEERS_MAX = 10_000;

export function buildStatus(parts: StatusParts): AgentStatus {
  const { enrolled, flags, map, sync } = parts;
  const domain = map?.settings.domain ?? enrolled.domain;
  const name = map?.self.name ?? enrolled.name;
  const paths = new Map(parts.sessions.map(({ peer, path }) => [peer, path ?? "direct"]));
  const findings = findProblems(parts);
  return {
    state: parts.state,
    pid: process.pid,
    version: VERSION,
    self: {
      peerId: enrolled.peerId,
      name,
      fullName: `${name}.${domain}`,
      address: map?.self.address ?? enrolled.address,
    },
    management: {
      url: flags.managementUrl,
      connected: sync?.connected ?? false,
      mapVersion: map?.version ?? 0,
      mapAgeSeconds: Number.isFinite(parts.mapAgeSeconds) ? Math.floor(parts.mapAgeSeconds) : null,
      clockOffsetMs: sync?.clockOffsetMs ?? null,
      latencyMs: sync?.latencyMs ?? null,
      error: sync?.error ?? null,
    },
    sshServer: {
      enabled: flags.sshServer,
      listen: [...parts.listening],
      advertised: [...parts.advertised],
      plainListen: [...parts.plainListening],
      sessions: parts.sessions.map(({ localUser, user, peer, command, forwards, path }) => ({
        localUser,
        user,
        peer,
        command,
        forwards: [...forwards],
        ...(path === undefined ? {} : { path }),
      })),
    },
    relay: parts.relay,
    refused: { ...parts.refused, seconds: REFUSALS_SECONDS },
    spool: { events: parts.spool.events, bytes: parts.spool.bytes, bytesMax: parts.spool.bytesMax },
    peers: Object.values(map?.peers ?? {})
      .slice(0, PEERS_MAX)
      .map((peer) => {
        const known = parts.pathOf(peer.id);
        return {
          name: peer.name,
          address: peer.address,
          path: paths.get(`${peer.name}.${domain}`) ?? (known?.isLive === true ? known.path : "idle"),
          latencyMs: known?.latencyMs ?? null,
        };
      }),
    flags,
    problems: findings.map(({ problem }) => problem),
    fixes: findings.map(({ fix }) => fix),
  };
}
