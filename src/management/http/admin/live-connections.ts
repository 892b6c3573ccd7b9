/**
 * Live connections, from what machines report. Pure.
 *
 * A machine is believed about its own connections only, so an entry is identified by the machine together
 * with the connection id, never by the id alone.
 *
 * @module
 */
import type { LiveSession } from "../../../wire/agent-sync.ts";
import type { PeerId, UserId } from "../../../wire/units.ts";
import type { PeerSession } from "../../sync/sync-hub.ts";

/** A connection that its machine currently reports. */
export interface LiveConnection {
  readonly peerId: PeerId;
  readonly connectionId: string;
  readonly userId: UserId | null;
  readonly user: string;
  readonly device: string;
  readonly localUser: string;
  readonly openedAtMs: number;
  readonly path: LiveSession["path"] | null;
  readonly running: readonly string[];
  readonly forwards: readonly string[];
}

/** Key of a connection: its machine and its id. */
export function connectionKey(of: { readonly peerId: PeerId; readonly connectionId: string }): string {
  return `${of.peerId} ${of.connectionId}`;
}

/**
 * Connections by `connectionKey`. Machines report one entry per session, and a connection may have several.
 */
export function liveConnections(sessions: readonly PeerSession[]): Map<string, LiveConnection> {
  const found = new Map<string, LiveConnection>();
  for (const { peerId, session } of sessions) {
    const key = connectionKey({ peerId, connectionId: session.connectionId });
    const before = found.get(key);
    found.set(key, {
      peerId,
      connectionId: session.connectionId,
      userId: session.userId,
      user: session.user,
      device: session.peer,
      localUser: session.localUser,
      openedAtMs: session.startedAtSeconds * 1000,
      path: session.path ?? null,
      running: [...(before?.running ?? []), session.command],
      forwards: session.forwards,
    });
  }
  return found;
}
