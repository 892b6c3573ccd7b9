/**
 * Peers in the REST API: bodies of /api/peers, in the shapes of NetBird's public API.
 *
 * @module
 */
import { z } from "zod";
import { DisplayName } from "./display-name.ts";
import { unlessEmpty, unlessNull } from "./given.ts";
import { GroupMinimum } from "./policy.ts";
import { OverlayAddress, PeerId } from "./units.ts";

const dateTime = z.iso.datetime({ offset: true });

/** Flags of a machine's agent under NetBird's names. Flags that QuFabric lacks are false. */
export const PeerLocalFlags = z.object({
  rosenpass_enabled: z.boolean(),
  rosenpass_permissive: z.boolean(),
  server_ssh_allowed: z.boolean(),
  disable_client_routes: z.boolean(),
  disable_server_routes: z.boolean(),
  disable_dns: z.boolean(),
  disable_firewall: z.boolean(),
  block_lan_access: z.boolean(),
  block_inbound: z.boolean(),
  lazy_connection_enabled: z.boolean(),
});

/** A machine or device as /api/peers returns it; NetBird's `Peer` plus the fields marked additive. */
export const Peer = z.object({
  id: PeerId,
  name: z.string(),
  created_at: dateTime,
  ip: OverlayAddress,
  connection_ip: z.string(),
  connected: z.boolean(),
  last_seen: dateTime,
  os: z.string(),
  kernel_version: z.string(),
  geoname_id: z.int(),
  version: z.string(),
  groups: z.array(GroupMinimum),
  ssh_enabled: z.boolean(),
  /** Owner. Empty for machines without one. */
  user_id: z.string(),
  hostname: z.string(),
  ui_version: z.string(),
  dns_label: z.string(),
  login_expiration_enabled: z.boolean(),
  login_expired: z.boolean(),
  last_login: dateTime,
  inactivity_expiration_enabled: z.boolean(),
  approval_required: z.boolean(),
  country_code: z.string(),
  city_name: z.string(),
  serial_number: z.string(),
  extra_dns_labels: z.array(z.string()),
  ephemeral: z.boolean(),
  /** Flags the agent was started with. */
  local_flags: PeerLocalFlags,
  /** Always empty: the overlay has no IPv6. */
  ipv6: z.string(),
  /** Empty: no reason given. */
  disapproval_reason: z.string(),
  /** Ours, additive. */
  kind: z.enum(["machine", "device"]).optional(),
  /** Blocked by an administrator: it reaches no peer, and no peer reaches it. */
  blocked: z.boolean().optional(),
  /** Whether an admin has confirmed the name, so that it works without the domain. */
  name_confirmed: z.boolean().optional(),
  /**
   * The machine whose agent vouches for this device, which then counts as a member of the machine's groups.
   * Absent: none.
   */
  vouched_by: z
    .object({
      peer_id: PeerId,
      /** The OS user there who asked for it. */
      local_uid: z.int().optional(),
      since: dateTime.optional(),
    })
    .optional(),
  /** In lists: number of machines whose SSH port it may reach now. */
  accessible_peers_count: z.int().optional(),
});
export type Peer = z.infer<typeof Peer>;

/** Body of PUT /api/peers/{id}. Every field not marked optional is required, as at NetBird. */
export const PeerRequest = z.object({
  /** Display name; the host name is derived from it. */
  name: DisplayName,
  ssh_enabled: z.boolean(),
  login_expiration_enabled: z.boolean(),
  inactivity_expiration_enabled: z.boolean(),
  approval_required: unlessNull(z.boolean()),
  ip: unlessEmpty(OverlayAddress),
  /** Whether its name works without the domain. Absent: unchanged, but true with a new name. */
  name_confirmed: unlessNull(z.boolean()),
  /** Ours, additive: true blocks the peer, false unblocks it. Absent: unchanged. */
  blocked: unlessNull(z.boolean()),
});
export type PeerRequest = z.infer<typeof PeerRequest>;

/** A machine that a peer may reach, in GET /api/peers/{id}/accessible-peers; NetBird's `AccessiblePeer`. */
export const AccessiblePeer = z.object({
  id: PeerId,
  name: z.string(),
  ip: OverlayAddress,
  dns_label: z.string(),
  user_id: z.string(),
  os: z.string(),
  country_code: z.string(),
  city_name: z.string(),
  geoname_id: z.int(),
  connected: z.boolean(),
  last_seen: dateTime,
  ipv6: z.string(),
});
export type AccessiblePeer = z.infer<typeof AccessiblePeer>;
