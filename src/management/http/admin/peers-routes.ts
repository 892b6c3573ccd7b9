/**
 * /api/peers: machines and devices. Plain users see their own devices and may delete them.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import { AccessiblePeer, Peer, PeerRequest } from "../../../wire/admin-peers.ts";
import { Empty, NoQuery, PageQuery, PeerQuery, SaveQuery } from "../../../wire/admin-query.ts";
import { labelOf } from "../../../wire/display-name.ts";
import { nameKey } from "../../../wire/name-key.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import type { ChangeWriter } from "../../db/store.ts";
import { revokeLoginsOf } from "../../db/tables/logins.ts";
import { dnsNameOf } from "../../db/tables/new-peer.ts";
import {
  deletePeer,
  findPeer,
  findPeerByAddress,
  findPeerByDnsName,
  findReservedName,
  type PeerRow,
  renamePeer,
  shownPeerName,
  updatePeer,
} from "../../db/tables/peers.ts";
import { findUser, type UserRow } from "../../db/tables/users.ts";
import { mayCall, notFound } from "./access.ts";
import { groupsOfOne, loadGroups } from "./groups-view.ts";
import { listingById } from "./paging.ts";
import { asAccessiblePeer, asPeer, domainOf, isWaitingForApproval } from "./peers-view.ts";
import { reachablePeers, reachNow } from "./reachable-peers.ts";
import { type Call, type Route, route } from "./route.ts";

export const peerRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/peers",
    summary: "Peers; a plain user sees its own devices only",
    access: "self",
    query: PeerQuery,
    answer: { listOf: Peer },
    handle: async (call) => {
      const reach = await reachNow(call.ctx, call.accountId);
      const { view, domain } = await call.read(async (tx) => ({
        view: await loadGroups(tx, call.accountId),
        domain: await domainOf(tx, call.accountId),
      }));
      const { ip = "" } = call.query;
      const name = nameKey(call.query.name ?? "");
      const peers = view.peers
        .filter((peer) => isVisible(peer, call.user))
        .filter((peer) => nameKey(shownPeerName(peer)).includes(name) || peer.name.includes(name))
        .filter((peer) => peer.address.includes(ip));
      return listingById(call.query, peers, (peer) => ({
        ...asPeer(peer, { ...call.ctx, domain, groups: view.groupsOf(peer.id) }),
        accessible_peers_count: reach?.countOf(peer.id) ?? 0,
      }));
    },
  }),
  route({
    method: "get",
    path: "/api/peers/:peerId",
    summary: "One peer",
    access: "self",
    query: NoQuery,
    answer: { one: Peer },
    handle: (call) => call.read((tx) => peerAnswer(call, tx)),
  }),
  route({
    method: "get",
    path: "/api/peers/:peerId/accessible-peers",
    summary: "Machines whose SSH port this peer may reach now",
    access: "self",
    query: PageQuery,
    answer: { listOf: AccessiblePeer },
    handle: async (call) => {
      const peer = await call.read((tx) => requireVisiblePeer(call, tx, call.user));
      const domain = await call.read((tx) => domainOf(tx, call.accountId));
      const targets = await reachablePeers(call.ctx, peer);
      return listingById(call.query, targets, (target) => asAccessiblePeer(target, { ...call.ctx, domain }));
    },
  }),
  route({
    method: "put",
    path: "/api/peers/:peerId",
    summary: "Renames a peer, turns its SSH on or off, approves a device, changes its address",
    access: "write",
    query: SaveQuery,
    tests: "new",
    body: PeerRequest,
    answer: { one: Peer },
    also: [409],
    handle: (call) => call.change({ affectsMaps: true }, (tx, actor) => changePeer(call, tx, actor)),
  }),
  route({
    method: "delete",
    path: "/api/peers/:peerId",
    summary: "Removes a peer: its link and its logins end, its name stays reserved",
    access: "self",
    query: NoQuery,
    answer: { one: Empty },
    handle: (call) =>
      call.change({ affectsMaps: true }, async (tx, actor) => {
        const peer = await requireVisiblePeer(call, tx, actor);
        const isOwn = peer.kind === "device" && peer.ownerUserId === actor.id;
        if (!isOwn && !mayCall(actor.role, "write")) {
          throw new QfError("ERR_FORBIDDEN", `the role ${actor.role} may not do this`);
        }
        await revokeLoginsOf(tx, { devicePeerId: peer.id });
        await deletePeer(tx, peer);
        tx.record({
          activity: "peer.delete",
          targetId: peer.id,
          meta: { name: peer.dnsName, ip: peer.address },
        });
        return {};
      }),
  }),
];

function isVisible(peer: PeerRow, user: UserRow): boolean {
  return mayCall(user.role, "read") || (peer.kind === "device" && peer.ownerUserId === user.id);
}

/** The peer of the path, if the caller may see it. Throws ERR_NOT_FOUND. */
export async function requireVisiblePeer(
  call: Call<unknown, unknown>,
  tx: Reader,
  user: UserRow,
): Promise<PeerRow> {
  const peer = await findPeer(tx, call.accountId, call.param("peerId"));
  if (peer === undefined || !isVisible(peer, user)) throw notFound("peer");
  return peer;
}

async function peerAnswer(call: Call<unknown, unknown>, tx: Reader): Promise<Peer> {
  const peer = await requireVisiblePeer(call, tx, call.user);
  const domain = await domainOf(tx, call.accountId);
  return asPeer(peer, { ...call.ctx, domain, groups: await groupsOfOne(tx, call.accountId, peer.id) });
}

async function changePeer(call: Call<PeerRequest>, tx: ChangeWriter, actor: UserRow): Promise<Peer> {
  const peer = await requireVisiblePeer(call, tx, actor);
  const { name, ssh_enabled, ip } = call.body;
  const named = newName(peer, name);
  if (named.label !== peer.name) await changeName(tx, peer, named.label);
  if (ip !== undefined && ip !== peer.address) await requireFreeAddress(tx, peer, ip);
  const admission = newAdmission(peer, call.body);
  const nameConfirmed = call.body.name_confirmed ?? (peer.nameConfirmed || named.isConfirmed);
  await updatePeer(tx, call.accountId, peer.id, {
    displayName: named.displayName,
    sshEnabled: ssh_enabled,
    nameConfirmed,
    loginExpirationEnabled: call.body.login_expiration_enabled,
    inactivityExpirationEnabled: call.body.inactivity_expiration_enabled,
    ...(ip === undefined ? {} : { address: ip }),
    ...admission.change,
  });
  // Logins on the device end for good, even if it is unblocked later.
  if (admission.activity === "peer.block") await revokeLoginsOf(tx, { devicePeerId: peer.id });
  const meta = {
    name,
    ...(ip === undefined || ip === peer.address ? {} : { from: peer.address, to: ip }),
    ...(nameConfirmed === peer.nameConfirmed ? {} : { name_confirmed: String(nameConfirmed) }),
  };
  if (ssh_enabled !== peer.sshEnabled) {
    const activity = ssh_enabled ? "peer.ssh.enable" : "peer.ssh.disable";
    tx.record({ activity, targetId: peer.id, meta });
  }
  if (admission.activity !== null) tx.record({ activity: admission.activity, targetId: peer.id, meta });
  tx.record({ activity: "peer.update", targetId: peer.id, meta });
  return peerAnswer(call, tx);
}

/** The peer's admission after the request, and the activity to record. Null activity: no change. */
function newAdmission(
  peer: PeerRow,
  { approval_required, blocked }: PeerRequest,
): {
  readonly change: Partial<Pick<PeerRow, "status" | "ownerApproved">>;
  readonly activity: "peer.block" | "peer.unblock" | "peer.approve" | "peer.suspend" | null;
} {
  const isWaiting = isWaitingForApproval(peer);
  const willWait = approval_required ?? isWaiting;
  const isBlocked = peer.status === "blocked";
  const willBeBlocked = blocked ?? isBlocked;
  const status = willBeBlocked ? "blocked" : willWait ? "pending" : "active";
  const change = { status, ownerApproved: !willWait } as const;
  if (willBeBlocked !== isBlocked) return { change, activity: willBeBlocked ? "peer.block" : "peer.unblock" };
  if (willWait === isWaiting) return { change: {}, activity: null };
  return { change, activity: willWait ? "peer.suspend" : "peer.approve" };
}

/**
 * The host name and shown name of a renamed peer. The host name is derived from `name`, and stays if nothing
 * can be derived. Renaming also confirms the derived host name.
 */
function newName(
  peer: PeerRow,
  name: string,
): { label: string; displayName: string | null; isConfirmed: boolean } {
  if (name === shownPeerName(peer)) {
    return { label: peer.name, displayName: peer.displayName, isConfirmed: false };
  }
  const derived = labelOf(name);
  const label = derived === "" ? peer.name : derived;
  return { label, displayName: name === label ? null : name, isConfirmed: derived !== "" };
}

async function changeName(tx: ChangeWriter, peer: PeerRow, name: string): Promise<void> {
  const owner = peer.ownerUserId === null ? undefined : await findUser(tx, peer.accountId, peer.ownerUserId);
  const dnsName = dnsNameOf(peer.kind, name, owner ?? null);
  const holder = await findPeerByDnsName(tx, peer.accountId, dnsName);
  if (holder !== undefined && holder.id !== peer.id) {
    throw new QfError("ERR_CONFLICT", `another peer is called ${dnsName}`);
  }
  const reserved = await findReservedName(tx, peer.accountId, dnsName);
  if (reserved !== undefined && reserved.peerId !== peer.id) {
    throw new QfError("ERR_CONFLICT", `the name ${dnsName} was another peer's and is reserved`, {
      hint: `release it first: qf peer release-name ${dnsName}, DELETE /api/reserved-names/${dnsName}`,
    });
  }
  await renamePeer(tx, peer, { name, dnsName });
  tx.record({ activity: "peer.rename", targetId: peer.id, meta: { from: peer.dnsName, to: dnsName } });
}

async function requireFreeAddress(tx: Reader, peer: PeerRow, ip: string): Promise<void> {
  if ((await findPeerByAddress(tx, peer.accountId, ip)) === undefined) return;
  throw new QfError("ERR_CONFLICT", `another peer has the address ${ip}`);
}
