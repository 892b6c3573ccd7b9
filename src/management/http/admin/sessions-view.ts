/**
 * Sessions in the form of the REST API: what machines report now, joined with what the log has.
 *
 * @module
 */
import type { Session, SessionState } from "../../../wire/session.ts";
import type { AccountId, PeerId, UserId } from "../../../wire/units.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { knownPeers, shownPeerName } from "../../db/tables/peers.ts";
import type { SshSessionFilter, SshSessionPlace, SshSessionRow } from "../../db/tables/ssh-sessions.ts";
import { knownUsers } from "../../db/tables/users.ts";
import { connectionKey, type LiveConnection } from "./live-connections.ts";

/** A session that is reported now, stored, or both. */
export interface KnownSession extends SshSessionPlace {
  readonly peerId: PeerId;
  readonly userId: UserId | null;
  readonly live: LiveConnection | null;
  readonly row: SshSessionRow | null;
}

/**
 * Machines report a new session within a second. Until this time has passed, a stored start counts as live.
 */
const REPORT_MS_MAX = 10_000;

/** Joins stored sessions with their reports, and adds sessions that are only reported. */
export function joinSessions(
  rows: readonly SshSessionRow[],
  live: ReadonlyMap<string, LiveConnection>,
): KnownSession[] {
  const stored = new Set(rows.map(connectionKey));
  return [
    ...rows.map((row) => ({
      ...{ peerId: row.peerId, connectionId: row.connectionId, openedAtMs: row.openedAtMs },
      ...{ userId: row.userId, row, live: live.get(connectionKey(row)) ?? null },
    })),
    ...[...live.values()]
      .filter((one) => !stored.has(connectionKey(one)))
      .map((one) => ({
        ...{ peerId: one.peerId, connectionId: one.connectionId, openedAtMs: one.openedAtMs },
        ...{ userId: one.userId, row: null, live: one },
      })),
  ];
}

/** The state of a session. A recorded end outweighs a report, which may be a second old. */
export function stateOfSession(
  { row, live, peerId }: KnownSession,
  now: { readonly ms: number; isConnected(peerId: PeerId): boolean },
): SessionState {
  if (row?.closedAtMs != null) return "ended";
  if (live !== null) return "live";
  const isNew = row !== null && now.ms - row.openedAtMs < REPORT_MS_MAX;
  return isNew && now.isConnected(peerId) ? "live" : "unknown";
}

/** Newest first, which is the table's order. */
export function compareSessions(a: SshSessionPlace, b: SshSessionPlace): number {
  return b.openedAtMs - a.openedAtMs || (b.connectionId < a.connectionId ? -1 : 1);
}

/** Whether a session comes after `place` in that order. */
export function isBehind(session: SshSessionPlace, place: SshSessionPlace | null): boolean {
  return place === null || compareSessions(place, session) < 0;
}

/** Whether a reported session matches the filter. It has not ended, so `since` does not matter. */
export function isAskedFor(
  live: LiveConnection,
  { user, peers, localUser, untilMs }: SshSessionFilter,
): boolean {
  return (
    (user === undefined ||
      (live.userId !== null && user.ids.includes(live.userId)) ||
      live.user === user.name) &&
    (peers === undefined || peers.ids.includes(live.peerId)) &&
    (localUser === undefined || live.localUser === localUser) &&
    (untilMs === undefined || live.openedAtMs < untilMs)
  );
}

/** Names by id, of those that still exist. */
export interface Names {
  readonly users: ReadonlyMap<UserId, string>;
  readonly peers: ReadonlyMap<PeerId, string>;
}

export async function namesFor(
  tx: Reader,
  accountId: AccountId,
  sessions: readonly KnownSession[],
): Promise<Names> {
  const userIds = new Set(sessions.flatMap(({ userId }) => userId ?? []));
  const peerIds = sessions.flatMap(({ peerId, row }) => [
    peerId,
    ...(row?.devicePeerId ? [row.devicePeerId] : []),
  ]);
  const users = await knownUsers(tx, accountId, [...userIds]);
  const peers = await knownPeers(tx, accountId, peerIds);
  return {
    users: new Map(users.map(({ id, email, name }) => [id, email || name])),
    peers: new Map(peers.map((peer) => [peer.id, shownPeerName(peer)])),
  };
}

export interface Shown {
  readonly names: Names;
  readonly state: SessionState;
  readonly mayEnd: boolean;
}

export function asSession(session: KnownSession, { names, state, mayEnd }: Shown): Session {
  const { row, live, peerId, userId, connectionId, openedAtMs } = session;
  const isLive = state === "live";
  return {
    id: connectionId,
    state,
    user_id: userId,
    user: (userId === null ? undefined : names.users.get(userId)) ?? (row?.userName || live?.user || ""),
    machine_id: peerId,
    machine: names.peers.get(peerId) ?? row?.machineName ?? "",
    device_id: row?.devicePeerId ?? null,
    device: names.peers.get(row?.devicePeerId ?? "") ?? (live?.device || null),
    local_user: row?.localUser ?? live?.localUser ?? "",
    path: row?.path ?? live?.path ?? null,
    source_address: row?.sourceAddress ?? null,
    started_at: new Date(openedAtMs).toISOString(),
    ended_at: row?.closedAtMs == null ? null : new Date(row.closedAtMs).toISOString(),
    end_reason: row?.endReason ?? null,
    rule_id: row?.ruleId ?? null,
    reason: row?.accessReason ?? null,
    offline: row?.offline ?? false,
    running: isLive ? [...(live?.running ?? [])] : [],
    forwards: isLive ? [...(live?.forwards ?? [])] : [],
    bytes_in: row?.bytesIn ?? null,
    bytes_out: row?.bytesOut ?? null,
    may_end: isLive && mayEnd,
  };
}
