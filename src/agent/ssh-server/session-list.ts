/**
 * Live connections as `status` and management list them.
 *
 * @module
 */
import { findPeer, findUser } from "../../policy/decide/snapshot.ts";
import type { LiveSession } from "../../wire/agent-sync.ts";
import type { NetworkMap } from "../../wire/network-map.ts";
import type { EpochSeconds } from "../../wire/units.ts";
import type { AuthResult } from "./admit.ts";
import type { Who } from "./authorize.ts";

/** One entry for each session, or one `<idle>` entry for a connection without sessions. */
export function describeSessions(connection: {
  readonly connectionId: string;
  readonly auth: AuthResult;
  readonly map: NetworkMap | null;
  readonly startedAtSeconds: EpochSeconds;
  readonly descriptions: readonly string[];
  readonly forwards: readonly string[];
  readonly path: NonNullable<LiveSession["path"]>;
}): LiveSession[] {
  const { auth, map, descriptions } = connection;
  const { who } = auth;
  const names = namesOf(who, map);
  const common = {
    connectionId: connection.connectionId,
    localUser: auth.localUser,
    userId: who.kind === "user" ? who.userId : null,
    user: names.person,
    peer: names.device,
    forwards: [...connection.forwards],
    startedAtSeconds: connection.startedAtSeconds,
    path: connection.path,
  };
  return (descriptions.length === 0 ? ["<idle>"] : descriptions).map((command) => ({ ...common, command }));
}

/** Names of the person and device. A machine is its own person. `device` is empty if it is not ours. */
export function namesOf(
  who: Who,
  map: NetworkMap | null,
): { readonly person: string; readonly device: string } {
  const user = who.kind === "user" && map !== null ? findUser(map, who.userId) : undefined;
  const peerId = who.kind === "user" ? who.devicePeerId : who.peerId;
  const peer = peerId === null || map === null ? undefined : findPeer(map, peerId);
  const device = peer === undefined || map === null ? "" : `${peer.name}.${map.settings.domain}`;
  if (who.kind === "peer") return { person: device, device };
  return { person: (user?.email ?? user?.name ?? who.subject).slice(0, 254), device };
}
