/**
 * Bodies and answers of the REST API under `/api`, in the shapes of NetBird's public API. The only
 * source of validation and of `/api/openapi.json`. What people send is strict.
 *
 * Policies are in `policy.ts`, audit events in `audit-event.ts`.
 *
 * @module
 */
import { z } from "zod";
import { GroupMinimum, Resource } from "./policy.ts";
import {
  DisplayName,
  DnsName,
  Email,
  GroupId,
  HostLabel,
  Id,
  OverlayAddress,
  PeerId,
  UserId,
} from "./units.ts";

/** The largest cap on the age of a login, in seconds: 30 days. */
export const LOGIN_SECONDS_MAX = 2_592_000;

const dateTime = z.iso.datetime({ offset: true });
const groupIds = z.array(GroupId).max(1024);

/** owner: everything; admin: all but owners; auditor: reads everything; user: own things. */
export const Role = z.enum(["owner", "admin", "auditor", "user"]);
export type Role = z.infer<typeof Role>;

export const AccountSettings = z.strictObject({
  peer_login_expiration_enabled: z.boolean(),
  /** Seconds. */
  peer_login_expiration: z.int().min(0).max(31_536_000),
  peer_inactivity_expiration_enabled: z.boolean(),
  peer_inactivity_expiration: z.int().min(0).max(31_536_000),
  regular_users_view_blocked: z.boolean(),
  peer_expose_enabled: z.boolean(),
  peer_expose_groups: groupIds,
  groups_propagation_enabled: z.boolean().optional(),
  jwt_groups_enabled: z.boolean().optional(),
  jwt_groups_claim_name: z.string().max(128).optional(),
  jwt_allow_groups: z.array(z.string().max(256)).max(256).optional(),
  dns_domain: DnsName.optional(),
  network_range: z.cidrv4().optional(),
  extra: z
    .strictObject({
      peer_approval_enabled: z.boolean(),
      user_approval_required: z.boolean(),
      network_traffic_logs_enabled: z.boolean(),
      network_traffic_logs_groups: groupIds,
      network_traffic_packet_counter_enabled: z.boolean(),
    })
    .optional(),
  embedded_idp_enabled: z.boolean().optional(),
  /** Ours, additive. Seconds a machine decides from a stored map. Default 3600. */
  max_stale_seconds: z.int().min(10).max(31_536_000).optional(),
  /** The same for uid 0. Default 300. */
  max_stale_root_seconds: z.int().min(10).max(31_536_000).optional(),
  /** Cap on cached logins. Default 43200. */
  login_seconds_max: z.int().min(60).max(LOGIN_SECONDS_MAX).optional(),
  login_confirmation: z.enum(["code", "click"]).optional(),
  /** Whether qf asks the provider to sign in anew. Default true. */
  prompt_login: z.boolean().optional(),
  device_approval: z.enum(["auto", "first", "admin"]).optional(),
  /** Whether the ID token is put into certificates. Default true. */
  id_token_to_machine: z.boolean().optional(),
  /** A first sign-in waits for an admin. Default false. */
  pending_approval: z.boolean().optional(),
  require: z
    .strictObject({
      record: z.enum(["off", "best_effort", "required"]).optional(),
      reason: z.boolean().optional(),
      approval: z.boolean().optional(),
      reauth_within_seconds: z.int().min(1).max(31_536_000).nullable().optional(),
    })
    .optional(),
});
export type AccountSettings = z.infer<typeof AccountSettings>;

export const AccountOnboarding = z.strictObject({
  signup_form_pending: z.boolean(),
  onboarding_flow_pending: z.boolean(),
});

export const Account = z.object({
  id: Id,
  settings: AccountSettings,
  domain: z.string(),
  domain_category: z.string(),
  created_at: dateTime,
  created_by: z.string(),
  onboarding: AccountOnboarding,
});
export type Account = z.infer<typeof Account>;

export const AccountRequest = z.strictObject({
  settings: AccountSettings,
  onboarding: AccountOnboarding.optional(),
});
export type AccountRequest = z.infer<typeof AccountRequest>;

export const User = z.object({
  id: UserId,
  email: z.string(),
  /** Only in the answer to its creation, with the embedded provider. Shown once. */
  password: z.string().optional(),
  name: z.string(),
  role: Role,
  auto_groups: groupIds,
  status: z.enum(["active", "invited", "blocked"]),
  last_login: dateTime.optional(),
  is_current: z.boolean().optional(),
  is_service_user: z.boolean().optional(),
  is_blocked: z.boolean(),
  pending_approval: z.boolean(),
  issued: z.string().optional(),
  idp_id: z.string().optional(),
});
export type User = z.infer<typeof User>;

export const UserCreateRequest = z.strictObject({
  email: Email.optional(),
  name: DisplayName.optional(),
  role: Role,
  auto_groups: groupIds,
  is_service_user: z.boolean(),
});
export type UserCreateRequest = z.infer<typeof UserCreateRequest>;

export const UserRequest = z.strictObject({
  role: Role,
  auto_groups: groupIds,
  is_blocked: z.boolean(),
  /** Ours, additive: false lets a pending person in. Absent: unchanged. */
  pending_approval: z.boolean().optional(),
});
export type UserRequest = z.infer<typeof UserRequest>;

/** What a token opens. `api` is the REST API; `ssh` signs a service user in and nothing else. */
export const TokenScope = z.enum(["api", "ssh"]);
export type TokenScope = z.infer<typeof TokenScope>;

export const PersonalAccessToken = z.object({
  id: Id,
  name: z.string(),
  expiration_date: dateTime,
  created_by: z.string(),
  created_at: dateTime,
  last_used: dateTime.optional(),
  scope: TokenScope.optional(),
});
export type PersonalAccessToken = z.infer<typeof PersonalAccessToken>;

export const PersonalAccessTokenRequest = z.strictObject({
  name: DisplayName,
  /** Days. */
  expires_in: z.int().min(1).max(365),
  /** Ours, additive. Default api. */
  scope: TokenScope.optional(),
});
export type PersonalAccessTokenRequest = z.infer<typeof PersonalAccessTokenRequest>;

export const PersonalAccessTokenGenerated = z.object({
  plain_token: z.string(),
  personal_access_token: PersonalAccessToken,
});
export type PersonalAccessTokenGenerated = z.infer<typeof PersonalAccessTokenGenerated>;

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
  /** Owner; empty for machines of nobody. */
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
  local_flags: z.object({ server_ssh_allowed: z.boolean().optional() }).optional(),
  /** Ours, additive. */
  kind: z.enum(["machine", "device"]).optional(),
  /** Whether an admin has confirmed the name, so that it works without the domain. */
  name_confirmed: z.boolean().optional(),
  /** Present in lists. */
  accessible_peers_count: z.int().optional(),
});
export type Peer = z.infer<typeof Peer>;

export const PeerRequest = z.strictObject({
  name: HostLabel,
  ssh_enabled: z.boolean(),
  login_expiration_enabled: z.boolean(),
  inactivity_expiration_enabled: z.boolean(),
  approval_required: z.boolean().optional(),
  ip: OverlayAddress.optional(),
  /** Whether people reach it without the domain. Absent: as it was, and true with a new name. */
  name_confirmed: z.boolean().optional(),
});
export type PeerRequest = z.infer<typeof PeerRequest>;

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
});
export type AccessiblePeer = z.infer<typeof AccessiblePeer>;

export const SetupKey = z.object({
  id: Id,
  /** Whole once, in the answer to its creation; a masked form afterwards. */
  key: z.string(),
  name: z.string(),
  expires: dateTime,
  type: z.enum(["one-off", "reusable"]),
  valid: z.boolean(),
  revoked: z.boolean(),
  used_times: z.int(),
  last_used: dateTime,
  state: z.enum(["valid", "overused", "expired", "revoked"]),
  auto_groups: groupIds,
  updated_at: dateTime,
  /** 0: no limit. */
  usage_limit: z.int(),
  ephemeral: z.boolean(),
  allow_extra_dns_labels: z.boolean(),
});
export type SetupKey = z.infer<typeof SetupKey>;

export const SetupKeyCreateRequest = z.strictObject({
  name: DisplayName,
  type: z.enum(["one-off", "reusable"]),
  /** Seconds: one day to one year. */
  expires_in: z.int().min(86_400).max(31_536_000),
  auto_groups: groupIds,
  usage_limit: z.int().min(0).max(1_000_000),
  ephemeral: z.boolean().optional(),
  allow_extra_dns_labels: z.boolean().optional(),
});
export type SetupKeyCreateRequest = z.infer<typeof SetupKeyCreateRequest>;

export const SetupKeyRequest = z.strictObject({ revoked: z.boolean(), auto_groups: groupIds });
export type SetupKeyRequest = z.infer<typeof SetupKeyRequest>;

export const Group = z.object({
  ...GroupMinimum.shape,
  peers: z.array(z.object({ id: PeerId, name: z.string() })),
  resources: z.array(Resource),
});
export type Group = z.infer<typeof Group>;

export const GroupRequest = z.strictObject({
  name: DisplayName,
  /** Absent: unchanged on update, none on creation. */
  peers: z.array(PeerId).max(100_000).optional(),
  resources: z.array(Resource).max(0, "are not available").optional(),
});
export type GroupRequest = z.infer<typeof GroupRequest>;

/** What `qf management init` prints. */
export const InitResult = z.object({ accountId: Id, ownerId: UserId, token: z.string() });
export type InitResult = z.infer<typeof InitResult>;

/** What `qf management new-epoch` prints. */
export const NewEpochResult = z.object({ epoch: z.int().min(1) });
export type NewEpochResult = z.infer<typeof NewEpochResult>;

/** The one JSON line of `qf management serve` when it is ready. */
export const ServeReady = z.object({ url: z.string(), issuer: z.string(), pid: z.int() });
export type ServeReady = z.infer<typeof ServeReady>;
