/**
 * Groups as other resources mention them, with their numbers of peers.
 *
 * @module
 */
import type { GroupMinimum } from "../../../wire/policy.ts";
import type { AccountId, GroupId, PeerId } from "../../../wire/units.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import {
  countMembers,
  findAllGroup,
  type GroupRow,
  groupsOfPeer,
  knownGroups,
  listGroups,
  listMemberships,
} from "../../db/tables/groups.ts";
import { countPeers, listPeers, type PeerRow } from "../../db/tables/peers.ts";

/** Groups without their members. */
export interface GroupNames {
  /** `All` first, then by name. */
  readonly groups: readonly GroupRow[];
  minimum(groupId: GroupId): GroupMinimum | undefined;
}

export interface GroupsView extends GroupNames {
  readonly peers: readonly PeerRow[];
  /** Members in order of name. For `All`, every peer. */
  peersIn(groupId: GroupId): readonly PeerId[];
  /** The peer's groups, `All` first. */
  groupsOf(peerId: PeerId): readonly GroupMinimum[];
}

/** All groups with counts, without their members. */
export async function loadGroupNames(tx: Reader, accountId: AccountId): Promise<GroupNames> {
  const groups = await listGroups(tx, accountId);
  const counts = await countMembers(tx, accountId);
  return namesOf(groups, await withAll(tx, groups, counts));
}

/** Groups of one peer, `All` first. The cost depends on these groups, not on the size of the account. */
export async function groupsOfOne(
  tx: Reader,
  accountId: AccountId,
  peerId: PeerId,
): Promise<readonly GroupMinimum[]> {
  const own = await groupsOfPeer(tx, peerId);
  const all = await findAllGroup(tx, accountId);
  const groups = [...(all === undefined ? [] : [all]), ...(await knownGroups(tx, accountId, own))];
  const names = namesOf(groups, await withAll(tx, groups, await countMembers(tx, accountId, own)));
  const ids = [...(all === undefined ? [] : [all.id]), ...own];
  return ids.flatMap((id) => names.minimum(id) ?? []);
}

/** Adds the member count of `All` if it is among the groups. */
async function withAll(
  tx: Reader,
  groups: readonly GroupRow[],
  counts: Map<GroupId, number>,
): Promise<ReadonlyMap<GroupId, number>> {
  const all = groups.find((group) => group.isAll);
  if (all !== undefined) counts.set(all.id, await countPeers(tx, all.accountId));
  return counts;
}

function namesOf(groups: readonly GroupRow[], counts: ReadonlyMap<GroupId, number>): GroupNames {
  const byId = new Map(groups.map((group) => [group.id, group]));
  return {
    groups,
    minimum: (groupId) => {
      const group = byId.get(groupId);
      if (group === undefined) return undefined;
      const peers_count = counts.get(groupId) ?? 0;
      return { id: group.id, name: group.name, peers_count, resources_count: 0, issued: "api" };
    },
  };
}

/** Everything about an account's groups, in four queries. */
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
  const all = groups.find((group) => group.isAll);
  if (all !== undefined)
    members.set(
      all.id,
      peers.map((peer) => peer.id),
    );
  const counts = new Map([...members].map(([groupId, { length }]) => [groupId, length]));
  const { minimum } = namesOf(groups, counts);
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
