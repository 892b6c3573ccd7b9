/**
 * Groups as other resources mention them, with their numbers of peers.
 *
 * @module
 */
import type { GroupMinimum } from "../../../wire/policy.ts";
import type { AccountId, GroupId, PeerId } from "../../../wire/units.ts";
import { type GroupRow, listGroups, listMemberships } from "../../db/groups.ts";
import { listPeers, type PeerRow } from "../../db/peers.ts";
import type { Reader } from "../../db/store.ts";

export interface GroupsView {
  /** `All` first, then by name. */
  readonly groups: readonly GroupRow[];
  readonly peers: readonly PeerRow[];
  /** Members by name, for `All` every peer. */
  peersIn(groupId: GroupId): readonly PeerId[];
  /** Groups of a peer, `All` first. */
  groupsOf(peerId: PeerId): readonly GroupMinimum[];
  minimum(groupId: GroupId): GroupMinimum | undefined;
}

/** Everything about an account's groups, by four queries. */
export async function loadGroups(tx: Reader, accountId: AccountId): Promise<GroupsView> {
  const groups = await listGroups(tx, accountId);
  const peers = await listPeers(tx, accountId);
  const members = new Map<GroupId, PeerId[]>();
  const groupsByPeer = new Map<PeerId, GroupId[]>();
  for (const { groupId, peerId } of await listMemberships(tx, accountId)) push(groupsByPeer, peerId, groupId);
  // In order of the peers' names.
  for (const peer of peers) {
    for (const groupId of groupsByPeer.get(peer.id) ?? []) push(members, groupId, peer.id);
  }
  const byId = new Map(groups.map((group) => [group.id, group]));
  const all = groups.find((group) => group.isAll);
  if (all !== undefined)
    members.set(
      all.id,
      peers.map((peer) => peer.id),
    );
  const minimum = (groupId: GroupId): GroupMinimum | undefined => {
    const group = byId.get(groupId);
    if (group === undefined) return undefined;
    const peers_count = members.get(groupId)?.length ?? 0;
    return { id: group.id, name: group.name, peers_count, resources_count: 0, issued: "api" };
  };
  return {
    groups,
    peers,
    minimum,
    peersIn: (groupId) => members.get(groupId) ?? [],
    groupsOf: (peerId) => {
      const ids = [...(all === undefined ? [] : [all.id]), ...(groupsByPeer.get(peerId) ?? [])];
      return ids.flatMap((id) => minimum(id) ?? []);
    },
  };
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
