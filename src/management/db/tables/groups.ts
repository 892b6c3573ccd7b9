/**
 * Groups of peers and people. A person's groups are in `auto_groups`. The members of `All` are computed.
 *
 * @module
 */
import { and, asc, count, eq, inArray, isNotNull } from "drizzle-orm";
import type { GroupSettings } from "../../../wire/policy-account.ts";
import type { AccountId, GroupId, PeerId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";

export type GroupRow = Row<"groups">;

/** Rows in one INSERT and ids in one IN, to stay below the database's limit on parameters. */
const CHUNK = 500;

export async function insertGroup(tx: Writer, group: NewRow<"groups">): Promise<void> {
  await tx.sql.insert(tx.t.groups).values(group);
}

export async function findGroup(
  tx: Reader,
  accountId: AccountId,
  groupId: GroupId,
): Promise<GroupRow | undefined> {
  const { groups } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(groups)
    .where(and(eq(groups.accountId, accountId), eq(groups.id, groupId)));
  return row;
}

export async function findAllGroup(tx: Reader, accountId: AccountId): Promise<GroupRow | undefined> {
  const { groups } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(groups)
    .where(and(eq(groups.accountId, accountId), eq(groups.isAll, true)));
  return row;
}

/** `All` first, then by name. */
export async function listGroups(tx: Reader, accountId: AccountId): Promise<GroupRow[]> {
  const { groups } = tx.t;
  const rows = await tx.sql
    .select()
    .from(groups)
    .where(eq(groups.accountId, accountId))
    .orderBy(asc(groups.name));
  return [...rows.filter((row) => row.isAll), ...rows.filter((row) => !row.isAll)];
}

/** Groups whose settings were ever set. */
export function listGroupsWithSettings(
  tx: Reader,
  accountId: AccountId,
): Promise<Pick<GroupRow, "id" | "settings">[]> {
  const { groups } = tx.t;
  return tx.sql
    .select({ id: groups.id, settings: groups.settings })
    .from(groups)
    .where(and(eq(groups.accountId, accountId), isNotNull(groups.settings)));
}

export async function renameGroup(
  tx: Writer,
  accountId: AccountId,
  groupId: GroupId,
  name: string,
): Promise<void> {
  const { groups } = tx.t;
  await tx.sql
    .update(groups)
    .set({ name })
    .where(and(eq(groups.accountId, accountId), eq(groups.id, groupId)));
}

export async function setGroupSettings(
  tx: Writer,
  accountId: AccountId,
  groupId: GroupId,
  settings: GroupSettings,
): Promise<void> {
  const { groups } = tx.t;
  await tx.sql
    .update(groups)
    .set({ settings })
    .where(and(eq(groups.accountId, accountId), eq(groups.id, groupId)));
}

export async function deleteGroup(tx: Writer, accountId: AccountId, groupId: GroupId): Promise<void> {
  const { groups } = tx.t;
  await tx.sql.delete(groups).where(and(eq(groups.accountId, accountId), eq(groups.id, groupId)));
}

/** Which peers are in which stored groups. `All` is not stored. */
export function listMemberships(
  tx: Reader,
  accountId: AccountId,
): Promise<{ groupId: GroupId; peerId: PeerId }[]> {
  const { groups, groupPeers } = tx.t;
  return tx.sql
    .select({ groupId: groupPeers.groupId, peerId: groupPeers.peerId })
    .from(groupPeers)
    .innerJoin(groups, eq(groups.id, groupPeers.groupId))
    .where(eq(groups.accountId, accountId))
    .orderBy(asc(groupPeers.groupId), asc(groupPeers.peerId));
}

/** `listMemberships`, for some peers. */
export async function membershipsOf(
  tx: Reader,
  peerIds: readonly PeerId[],
): Promise<{ groupId: GroupId; peerId: PeerId }[]> {
  const { groupPeers } = tx.t;
  const found: { groupId: GroupId; peerId: PeerId }[] = [];
  for (let i = 0; i < peerIds.length; i += CHUNK) {
    const ids = peerIds.slice(i, i + CHUNK);
    found.push(
      ...(await tx.sql
        .select()
        .from(groupPeers)
        .where(inArray(groupPeers.peerId, ids))
        .orderBy(asc(groupPeers.groupId), asc(groupPeers.peerId))),
    );
  }
  return found;
}

/** The stored groups of one peer. */
export async function groupsOfPeer(tx: Reader, peerId: PeerId): Promise<GroupId[]> {
  const { groupPeers } = tx.t;
  const rows = await tx.sql
    .select({ groupId: groupPeers.groupId })
    .from(groupPeers)
    .where(eq(groupPeers.peerId, peerId))
    .orderBy(asc(groupPeers.groupId));
  return rows.map((row) => row.groupId);
}

/** Counts of stored members, of all groups or `only` some. Groups without members are left out. */
export async function countMembers(
  tx: Reader,
  accountId: AccountId,
  only?: readonly GroupId[],
): Promise<Map<GroupId, number>> {
  const { groups, groupPeers } = tx.t;
  const members = { groupId: groupPeers.groupId, members: count() };
  const rows =
    only === undefined
      ? await tx.sql
          .select(members)
          .from(groupPeers)
          .innerJoin(groups, eq(groups.id, groupPeers.groupId))
          .where(eq(groups.accountId, accountId))
          .groupBy(groupPeers.groupId)
      : await tx.sql
          .select(members)
          .from(groupPeers)
          .where(inArray(groupPeers.groupId, [...only]))
          .groupBy(groupPeers.groupId);
  return new Map(rows.map((row) => [row.groupId, row.members]));
}

/** The stored members of a group, by name. */
export function membersOf(
  tx: Reader,
  groupId: GroupId,
): Promise<{ id: PeerId; name: string; displayName: string | null }[]> {
  const { groupPeers, peers } = tx.t;
  return tx.sql
    .select({ id: peers.id, name: peers.name, displayName: peers.displayName })
    .from(groupPeers)
    .innerJoin(peers, eq(peers.id, groupPeers.peerId))
    .where(eq(groupPeers.groupId, groupId))
    .orderBy(asc(peers.dnsName));
}

/** Sets the group's stored members to exactly `peerIds`. */
export async function setGroupPeers(tx: Writer, groupId: GroupId, peerIds: readonly PeerId[]): Promise<void> {
  const { groupPeers } = tx.t;
  const members = await tx.sql
    .select({ peerId: groupPeers.peerId })
    .from(groupPeers)
    .where(eq(groupPeers.groupId, groupId));
  const before = new Set(members.map(({ peerId }) => peerId));
  const after = new Set(peerIds);
  // Leave unchanged rows alone: each written row makes management recheck that peer's map.
  const gone = [...before].filter((peerId) => !after.has(peerId));
  const fresh = [...after].filter((peerId) => !before.has(peerId));
  for (let i = 0; i < gone.length; i += CHUNK) {
    const ids = gone.slice(i, i + CHUNK);
    await tx.sql
      .delete(groupPeers)
      .where(and(eq(groupPeers.groupId, groupId), inArray(groupPeers.peerId, ids)));
  }
  for (let i = 0; i < fresh.length; i += CHUNK) {
    const rows = fresh.slice(i, i + CHUNK).map((peerId) => ({ groupId, peerId }));
    await tx.sql.insert(groupPeers).values(rows);
  }
}

/** Adds a peer to groups of its account. Deleted groups are skipped. */
export async function addPeerToGroups(
  tx: Writer,
  accountId: AccountId,
  peerId: PeerId,
  groupIds: readonly GroupId[],
): Promise<void> {
  const known = await knownGroups(tx, accountId, groupIds);
  const rows = known.filter((group) => !group.isAll).map((group) => ({ groupId: group.id, peerId }));
  if (rows.length > 0) await tx.sql.insert(tx.t.groupPeers).values(rows).onConflictDoNothing();
}

/** Those of `groupIds` that exist in the account. */
export async function knownGroups(
  tx: Reader,
  accountId: AccountId,
  groupIds: readonly GroupId[],
): Promise<GroupRow[]> {
  const { groups } = tx.t;
  const found: GroupRow[] = [];
  const unique = [...new Set(groupIds)];
  for (let i = 0; i < unique.length; i += CHUNK) {
    const ids = unique.slice(i, i + CHUNK);
    found.push(
      ...(await tx.sql
        .select()
        .from(groups)
        .where(and(eq(groups.accountId, accountId), inArray(groups.id, ids)))),
    );
  }
  return found;
}
