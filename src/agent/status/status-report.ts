/**
 * The report of `qf agent status`, built from the parts of an agent. Pure.
 *
 * @module
 */
import { VERSION } from "../../base/build-info.ts";
import type { AgentStatus } from "../../wire/control.ts";
import { REFUSALS_SECONDS } from "../listeners/refusals.ts";
import { findProblems } from "./problems.ts";
import type { StatusParts } from "./status-parts.ts";

/** Most peers listed. */
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
        const pathStatus = parts.pathOf(peer.id);
        return {
          name: peer.name,
          address: peer.address,
          path:
            paths.get(`${peer.name}.${domain}`) ?? (pathStatus?.isLive === true ? pathStatus.path : "idle"),
          latencyMs: pathStatus?.latencyMs ?? null,
        };
      }),
    flags,
    problems: findings.map(({ problem }) => problem),
    fixes: findings.map(({ fix }) => fix),
  };
}
