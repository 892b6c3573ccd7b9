/**
 * Settings of an account, in the shape of NetBird's public API plus ours. `docs/api.md` lists which of
 * NetBird's have an effect here; the others are stored and returned.
 *
 * @module
 */
import { z } from "zod";
import { listOrNone, unlessEmpty, unlessNull } from "./given.ts";
import { isOverlayRange, OVERLAY_RANGE } from "./overlay-range.ts";
import { AgeRecipient, RECORDING_RECIPIENTS_MAX } from "./recording.ts";
import { DnsName, GroupId } from "./units.ts";

/** The largest cap on the age of a login, in seconds: 30 days. */
export const LOGIN_SECONDS_MAX = 2_592_000;
/** NetBird's own bound: machines that sign in more often than this are hardly ever online. */
export const PEER_LOGIN_SECONDS_MIN = 3_600;

const groupIds = z.array(GroupId).max(1024);
const seconds = z.int().min(0).max(31_536_000);
const flag = z.boolean();

const Extra = z.object({
  /** New machines and devices wait for an admin. */
  peer_approval_enabled: unlessNull(flag),
  /** A first sign-in waits for an admin. */
  user_approval_required: unlessNull(flag),
  network_traffic_logs_enabled: unlessNull(flag),
  network_traffic_logs_groups: listOrNone(groupIds),
  network_traffic_packet_counter_enabled: unlessNull(flag),
});

/** Floors under every rule. Strict: a misspelt restriction must not be dropped. */
export const Require = z.strictObject({
  record: z.enum(["off", "best_effort", "required"]).optional(),
  reason: z.boolean().optional(),
  approval: z.boolean().optional(),
  reauth_within_seconds: z.int().min(1).max(31_536_000).nullable().optional(),
});

export type Require = z.infer<typeof Require>;

/** The settings as written, stored and returned. Settings left out of a request stay unchanged. */
export const AccountSettings = z.object({
  peer_login_expiration_enabled: flag,
  /** Seconds; at least an hour. */
  peer_login_expiration: seconds,
  peer_inactivity_expiration_enabled: flag,
  peer_inactivity_expiration: seconds,
  regular_users_view_blocked: flag,
  peer_expose_enabled: flag,
  peer_expose_groups: listOrNone(groupIds),
  groups_propagation_enabled: unlessNull(flag),
  jwt_groups_enabled: unlessNull(flag),
  jwt_groups_claim_name: unlessNull(z.string().max(128)),
  jwt_allow_groups: unlessNull(z.array(z.string().max(256)).max(256)),
  routing_peer_dns_resolution_enabled: unlessNull(flag),
  /** Empty: unchanged. */
  dns_domain: unlessEmpty(z.string().toLowerCase().pipe(DnsName)),
  /** Where new peers get their addresses. Empty: unchanged. */
  network_range: unlessEmpty(
    z.cidrv4().refine(isOverlayRange, `is not within ${OVERLAY_RANGE}, from /10 to /24`),
  ),
  network_range_v6: unlessEmpty(z.cidrv6()),
  extra: unlessNull(Extra),
  lazy_connection_enabled: unlessNull(flag),
  auto_update_version: unlessNull(z.string().max(64)),
  auto_update_always: unlessNull(flag),
  metrics_push_enabled: unlessNull(flag),
  agent_network_only: unlessNull(flag),
  dashboard_features: unlessNull(z.object({ agent_network: unlessNull(flag) })),
  /** Set by how the server was started; a request cannot change it. */
  embedded_idp_enabled: unlessNull(flag),
  local_auth_disabled: unlessNull(flag),
  local_mfa_enabled: unlessNull(flag),
  ipv6_enabled_groups: unlessNull(groupIds),
  /** Ours, additive. Name of this account in the dashboard. Empty or absent: none. */
  organization_name: z.string().trim().max(256).optional(),
  /** Ours, additive. How long a machine may decide from a stored map, in seconds. Default 3600. */
  max_stale_seconds: z.int().min(10).max(31_536_000).optional(),
  /** The same for uid 0. Default 300. */
  max_stale_root_seconds: z.int().min(10).max(31_536_000).optional(),
  /** Cap on the life of cached logins, in seconds. Default 43200. */
  login_seconds_max: z.int().min(60).max(LOGIN_SECONDS_MAX).optional(),
  login_confirmation: z.enum(["code", "click"]).optional(),
  /** Whether qf asks the provider for a fresh sign-in. Default true. */
  prompt_login: z.boolean().optional(),
  device_approval: z.enum(["auto", "first", "admin"]).optional(),
  /** Whether certificates carry the ID token. Default true. */
  id_token_to_machine: z.boolean().optional(),
  /** Whether rules without `allow_browsers` admit browsers, for the dashboard's terminal. Default true. */
  allow_browsers: z.boolean().optional(),
  /** A first sign-in waits for an admin. Default false. */
  pending_approval: z.boolean().optional(),
  /** Days after which the bodies of audit events are deleted; their hashes stay. Default 365. */
  audit_retention_days: z.int().min(1).max(36_500).optional(),
  /** Days after which a recording is deleted. Default 90. */
  recording_retention_days: z.int().min(1).max(36_500).optional(),
  /** Recipients of recordings made from now on. Absent or empty: recordings are not encrypted. */
  recording_recipients: z.array(AgeRecipient).max(RECORDING_RECIPIENTS_MAX).optional(),
  /**
   * Where the policies are kept: the name or address of a repository. People then change them there, and only
   * service users and an override with a reason change them here. Empty or absent: here.
   */
  policy_source: z
    .string()
    .trim()
    .max(256)
    .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, "must be one printable line")
    .optional(),
  require: Require.optional(),
});
export type AccountSettings = z.infer<typeof AccountSettings>;

/**
 * Our restricting fields, in any API body. An unknown field that nearly matches one is refused instead of
 * ignored: it is probably a misspelling, and the restriction would be lost.
 */
export const RESTRICTING_FIELDS: readonly string[] = [
  "max_stale_seconds",
  "max_stale_root_seconds",
  "login_seconds_max",
  "login_confirmation",
  "prompt_login",
  "device_approval",
  "allow_browsers",
  "id_token_to_machine",
  "pending_approval",
  "approval_required",
  "peer_approval_enabled",
  "user_approval_required",
  "recording_recipients",
  "require",
  "policy_source",
  "scope",
];
