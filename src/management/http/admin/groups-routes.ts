/**
 * /api/groups: named sets of peers. Users have theirs in `auto_groups`.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { newId } from "../../../base/random.ts";
import { Group, GroupRequest } from "../../../wire/admin-api.ts";
import { Empty, GroupQuery, NoQuery, SaveQuery } from "../../../wire/admin-query.ts";
import { nameKey } from "../../../wire/name-key.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import {
  deleteGroup,
  findGroup,
  type GroupRow,
  insertGroup,
  listGroups,
  membersOf,
  renameGroup,
  setGroupPeers,
  setGroupSettings,
} from "../../db/tables/groups.ts";
import { listPeers, shownPeerName } from "../../db/tables/peers.ts";
import { notFound } from "./access.ts";
import { requestMeta, requireSaneSettings, settingsAfter, shownSettings } from "./group-settings.ts";
import { usesOfGroup } from "./group-uses.ts";
import { loadGroups } from "./groups-view.ts";
import { listingById } from "./paging.ts";
import { requireKnownPeers } from "./references.ts";
import { type Call, type Route, route } from "./route.ts";

export const groupRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/groups",
    summary: "Groups with their peers; a name that no group has is 404",
    access: "read",
    query: GroupQuery,
    answer: { listOf: Group },
    also: [404],
    handle: (call) =>
      call.read(async (tx) => {
        const view = await loadGroups(tx, call.accountId);
        const wanted = call.query.name;
        const groups = view.groups.filter((group) => wanted === undefined || group.name === wanted);
        if (groups.length === 0) throw notFound("group");
        const names = new Map(view.peers.map((peer) => [peer.id, shownPeerName(peer)]));
        const named = (id: string) => ({ id, name: names.get(id) ?? "" });
        return listingById(call.query, groups, (group) => asGroup(group, view.peersIn(group.id).map(named)));
      }),
  }),
  route({
    method: "post",
    path: "/api/groups",
    summary: "Makes a group",
    access: "write",
    query: NoQuery,
    body: GroupRequest,
    answer: { one: Group },
    also: [409],
    handle: (call) =>
      call.change({ affectsMaps: true }, async (tx) => {
        const { name, peers } = call.body;
        await requireFreeName(tx, call.accountId, name, null);
        await requireKnownPeers(tx, call.accountId, peers, "peers");
        const group = {
          id: newId(),
          accountId: call.accountId,
          name,
          isAll: false,
          createdAt: nowSeconds(tx.clock),
          settings: settingsAfter(null, call.body),
        };
        await requireSaneSettings(tx, call.accountId, group);
        await insertGroup(tx, group);
        await setGroupPeers(tx, group.id, peers);
        tx.record({
          activity: "group.add",
          targetId: group.id,
          meta: { name, ...requestMeta(group.settings) },
        });
        return groupAnswer(tx, call.accountId, group.id);
      }),
  }),
  route({
    method: "get",
    path: "/api/groups/:groupId",
    summary: "One group with its peers",
    access: "read",
    query: NoQuery,
    answer: { one: Group },
    handle: (call) => call.read((tx) => groupAnswer(tx, call.accountId, call.param("groupId"))),
  }),
  route({
    method: "put",
    path: "/api/groups/:groupId",
    summary: "Renames a group and puts exactly these peers into it; without peers it is empty afterwards",
    access: "write",
    query: SaveQuery,
    tests: "new",
    body: GroupRequest,
    answer: { one: Group },
    also: [409],
    handle: (call) =>
      call.change({ affectsMaps: true }, async (tx) => {
        const group = await groupOf(call, tx);
        if (group.isAll) {
          throw new QfError("ERR_UNPROCESSABLE", "the group All cannot be changed: it holds every peer");
        }
        const { name, peers } = call.body;
        await requireFreeName(tx, call.accountId, name, group.id);
        await renameGroup(tx, call.accountId, group.id, name);
        await requireKnownPeers(tx, call.accountId, peers, "peers");
        await setGroupPeers(tx, group.id, peers);
        const settings = settingsAfter(group.settings, call.body);
        if (JSON.stringify(settings) !== JSON.stringify(group.settings)) {
          await requireSaneSettings(tx, call.accountId, { ...group, settings });
          await setGroupSettings(tx, call.accountId, group.id, settings ?? {});
        }
        const meta = { name, was: group.name, ...requestMeta(settings) };
        tx.record({ activity: "group.update", targetId: group.id, meta });
        return groupAnswer(tx, call.accountId, group.id);
      }),
  }),
  route({
    method: "delete",
    path: "/api/groups/:groupId",
    summary: "Deletes a group that nothing uses",
    access: "write",
    query: SaveQuery,
    tests: "new",
    answer: { one: Empty },
    also: [409],
    handle: (call) =>
      call.change({ affectsMaps: true }, async (tx) => {
        const group = await groupOf(call, tx);
        if (group.isAll) throw new QfError("ERR_IN_USE", "the group All cannot be deleted");
        const [use] = await usesOfGroup(tx, call.accountId, group.id);
        if (use !== undefined) {
          throw new QfError("ERR_IN_USE", `the group ${group.name} is used by ${use}`, {
            hint: "take it out there first",
          });
        }
        await deleteGroup(tx, call.accountId, group.id);
        tx.record({ activity: "group.delete", targetId: group.id, meta: { name: group.name } });
        return {};
      }),
  }),
];

async function groupOf(call: Call<unknown, unknown>, tx: Reader): Promise<GroupRow> {
  const group = await findGroup(tx, call.accountId, call.param("groupId"));
  if (group === undefined) throw notFound("group");
  return group;
}

/** Throws if the name is taken. Case is ignored, since groups with similar names lead to wrong policies. */
async function requireFreeName(
  tx: Reader,
  accountId: string,
  name: string,
  ownId: string | null,
): Promise<void> {
  const groups = await listGroups(tx, accountId);
  const taken = groups.find((group) => group.id !== ownId && nameKey(group.name) === nameKey(name));
  if (taken !== undefined) throw new QfError("ERR_CONFLICT", `there is a group ${taken.name} already`);
}

async function groupAnswer(tx: Reader, accountId: string, groupId: string): Promise<Group> {
  const group = await findGroup(tx, accountId, groupId);
  if (group === undefined) throw notFound("group");
  const members = group.isAll ? await listPeers(tx, accountId) : await membersOf(tx, groupId);
  return asGroup(
    group,
    members.map((peer) => ({ id: peer.id, name: shownPeerName(peer) })),
  );
}

function asGroup(group: GroupRow, members: readonly { readonly id: string; readonly name: string }[]): Group {
  return {
    id: group.id,
    name: group.name,
    peers_count: members.length,
    resources_count: 0,
    issued: "api",
    peers: [...members],
    resources: [],
    ...shownSettings(group),
  };
}
