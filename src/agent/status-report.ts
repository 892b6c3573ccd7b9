/**
 * What `qf agent status` shows, put together from what the parts of an agent know. Pure.
 *
 * @module
 */
import { VERSION } from "../base/build-info.ts";
import type { LiveSession } from "../wire/agent-sync.ts";
import type { AgentStatus } from "../wire/control.ts";
import type { NetworkMap } from "../wire/network-map.ts";
import type { AgentFlagsStored } from "../wire/state-file.ts";
import type { Enrolled } from "./enrol.ts";
import type { SyncState } from "./sync-client.ts";

export interface StatusParts {
  readonly state: AgentStatus["state"];
  readonly enrolled: Enrolled;
  readonly flags: AgentFlagsStored;
  readonly privileged: boolean;
  readonly map: NetworkMap | null;
  readonly mapAgeSeconds: number;
  readonly sync: SyncState | null;
  readonly listening: readonly string[];
  /** Where any SSH client is taken. */
  readonly plainListening: readonly string[];
  readonly relay: { readonly connected: boolean; readonly streams: number };
  readonly sessions: readonly LiveSession[];
  /** What the agent itself found wrong. Null: nothing. */
  readonly problem: string | null;
}

/** Beyond this, certificates and hellos begin to fail. */
const CLOCK_OFFSET_MS_MAX = 30_000;
const PEERS_MAX = 10_000;

export function buildStatus(parts: StatusParts): AgentStatus {
  const { enrolled, flags, map, sync } = parts;
  const domain = map?.settings.domain ?? enrolled.domain;
  const name = map?.self.name ?? enrolled.name;
  const paths = new Map(parts.sessions.map(({ peer, path }) => [peer, path ?? "direct"]));
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
      error: sync?.error ?? null,
    },
    sshServer: {
      enabled: flags.sshServer,
      listen: [...parts.listening],
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
    peers: Object.values(map?.peers ?? {})
      .slice(0, PEERS_MAX)
      .map((peer) => ({
        name: peer.name,
        address: peer.address,
        path: paths.get(`${peer.name}.${domain}`) ?? "idle",
        latencyMs: null,
      })),
    flags,
    problems: problemsOf(parts),
  };
}

function problemsOf(parts: StatusParts): string[] {
  const { problem, map, mapAgeSeconds, sync, flags, privileged, listening, relay } = parts;
  const problems: string[] = [];
  if (problem !== null) problems.push(problem);
  if (sync !== null && sync.error !== null && sync.error !== problem) problems.push(sync.error);
  if (map === null) problems.push("no network map yet: nothing is allowed");
  else if (mapAgeSeconds > map.settings.maxStaleSeconds) {
    problems.push("the network map is too old: nothing is allowed until management answers");
  } else if (mapAgeSeconds > map.settings.maxStaleRootSeconds) {
    problems.push("the network map is too old for uid 0 until management answers");
  }
  const offsetMs = sync?.clockOffsetMs ?? 0;
  if (Math.abs(offsetMs) > CLOCK_OFFSET_MS_MAX) {
    problems.push(`this clock is ${Math.round(offsetMs / 1000)} s off management's; synchronise it`);
  }
  if (flags.sshServer && !privileged) {
    problems.push("runs without root: only the agent's own user is served");
  }
  if (flags.plainSshListen !== null && !flags.sshServer) {
    problems.push("--plain-ssh-listen does nothing without --allow-server-ssh");
  } else if (flags.plainSshListen !== null && !flags.sshAuth) {
    problems.push("with --disable-ssh-auth nobody can sign in at --plain-ssh-listen");
  }
  if (flags.sshServer && listening.length === 0 && !relay.connected) {
    problems.push("no peer can come in: there is no listener, and no link to the relay");
  }
  if (map !== null && flags.sshServer && !map.self.sshEnabled) {
    problems.push("SSH is disabled for this peer in management");
  }
  return problems;
}
