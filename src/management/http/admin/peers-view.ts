/**
 * Peers in the form of the REST API, which is NetBird's.
 *
 * @module
 */
import type { AccessiblePeer, Peer } from "../../../wire/admin-peers.ts";
import type { GroupMinimum } from "../../../wire/policy.ts";
import type { AccountId } from "../../../wire/units.ts";
import { DEFAULT_DOMAIN } from "../../contracts/settings.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { findAccount } from "../../db/tables/accounts.ts";
import { type PeerRow, type ShownPeer, shownPeerName } from "../../db/tables/peers.ts";
import { type AdminContext, isoTime } from "./route.ts";

type Surroundings = Pick<AdminContext, "isConnected"> & { readonly domain: string };

/** NetBird's flags for features that QuFabric's agents lack. */
const NO_FLAGS = {
  rosenpass_enabled: false,
  rosenpass_permissive: false,
  disable_client_routes: false,
  disable_server_routes: false,
  disable_dns: false,
  disable_firewall: false,
  block_lan_access: false,
  block_inbound: false,
  lazy_connection_enabled: false,
};

export async function domainOf(tx: Reader, accountId: AccountId): Promise<string> {
  return (await findAccount(tx, accountId))?.domain ?? DEFAULT_DOMAIN;
}

export function asPeer(peer: PeerRow, around: Surroundings & { groups: readonly GroupMinimum[] }): Peer {
  return {
    id: peer.id,
    name: shownPeerName(peer),
    created_at: isoTime(peer.createdAt),
    ip: peer.address,
    connection_ip: peer.connectionIp,
    connected: around.isConnected(peer.id),
    last_seen: isoTime(peer.lastSeenAt),
    os: peer.facts.os,
    kernel_version: peer.facts.kernelVersion,
    geoname_id: 0,
    version: peer.facts.version,
    groups: [...around.groups],
    ssh_enabled: peer.sshEnabled,
    user_id: peer.ownerUserId ?? "",
    hostname: peer.facts.hostname,
    ui_version: "",
    dns_label: `${peer.dnsName}.${around.domain}`,
    login_expiration_enabled: peer.loginExpirationEnabled,
    login_expired: false,
    last_login: isoTime(peer.lastLoginAt),
    inactivity_expiration_enabled: peer.inactivityExpirationEnabled,
    approval_required: isWaitingForApproval(peer),
    country_code: "",
    city_name: "",
    serial_number: "",
    extra_dns_labels: [],
    ephemeral: peer.ephemeral,
    local_flags: { ...NO_FLAGS, server_ssh_allowed: peer.flags?.sshServer ?? false },
    ipv6: "",
    disapproval_reason: peer.status === "blocked" ? "blocked by an administrator" : "",
    blocked: peer.status === "blocked",
    kind: peer.kind,
    name_confirmed: peer.nameConfirmed,
    ...vouchedBy(peer),
  };
}

/** The machine that lends the device its groups, and the local user there who vouched. */
function vouchedBy({ vouchedByPeerId, vouch }: PeerRow): Pick<Peer, "vouched_by"> {
  if (vouchedByPeerId === null) return {};
  const said = vouch === null ? {} : { local_uid: vouch.uid, since: isoTime(vouch.at) };
  return { vouched_by: { peer_id: vouchedByPeerId, ...said } };
}

/** Whether the peer waits for an administrator's approval. A blocked peer may be waiting as well. */
export function isWaitingForApproval(peer: Pick<PeerRow, "status" | "kind" | "ownerApproved">): boolean {
  if (peer.status === "pending") return true;
  return !peer.ownerApproved && (peer.kind === "device" || peer.status === "blocked");
}

export function asAccessiblePeer(peer: ShownPeer, around: Surroundings): AccessiblePeer {
  return {
    id: peer.id,
    name: shownPeerName(peer),
    ip: peer.address,
    ipv6: "",
    dns_label: `${peer.dnsName}.${around.domain}`,
    user_id: peer.ownerUserId ?? "",
    os: peer.facts.os,
    country_code: "",
    city_name: "",
    geoname_id: 0,
    connected: around.isConnected(peer.id),
    last_seen: isoTime(peer.lastSeenAt),
  };
}
