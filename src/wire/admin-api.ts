/**
 * Request and response bodies of the REST API under `/api`, in the shapes of NetBird's public API. They are
 * the only source of validation and of `/api/openapi.json`.
 *
 * Unknown fields are ignored, as NetBird's clients expect, and named in the answer's `X-Ignored` header.
 * Where ignoring a field could grant more than was written, as in policies and posture checks, it is refused.
 * Settings are in `account-settings.ts`, policies in `policy.ts`, audit events in `audit-event.ts`.
 *
 * @module
 */
import { z } from "zod";
import { AccessReason } from "./access-reason.ts";
import { AccountSettings, Require } from "./account-settings.ts";
import { DisplayName } from "./display-name.ts";
import { listOrNone, unlessEmpty, unlessNull } from "./given.ts";
import { GroupMinimum, Resource } from "./policy.ts";
import { REQUEST_SECONDS_MAX } from "./policy-file.ts";
import { Email, GroupId, Id, PeerId, UserId } from "./units.ts";

/** NetBird's way of writing a time that never came or never comes. */
export const NEVER = "0001-01-01T00:00:00Z";

const dateTime = z.iso.datetime({ offset: true });
const groupIds = z.array(GroupId).max(1024);

/**
 * owner: everything; admin: all but owners; auditor: reads everything; user: own things. NetBird's
 * network_admin equals auditor, and its billing_admin equals user.
 */
export const Role = z.enum(["owner", "admin", "network_admin", "auditor", "billing_admin", "user"]);
export type Role = z.infer<typeof Role>;

/**
 * First steps that NetBird's dashboard shows for a new account. Stored and returned, but without effect here.
 */
export const AccountOnboarding = z.object({
  signup_form_pending: z.boolean(),
  onboarding_flow_pending: z.boolean(),
});

/** An account as GET /api/accounts returns it; NetBird's `Account` plus `warnings`. Times are ISO 8601. */
export const Account = z.object({
  id: Id,
  settings: AccountSettings,
  domain: z.string(),
  domain_category: z.string(),
  created_at: dateTime,
  created_by: z.string(),
  onboarding: AccountOnboarding,
  /** Returned on save: settings that are stored but have no effect here. */
  warnings: z.array(z.string()).optional(),
});
export type Account = z.infer<typeof Account>;

/** Body of PUT /api/accounts/{id}. Settings left out stay unchanged. */
export const AccountRequest = z.object({
  settings: AccountSettings,
  onboarding: unlessNull(AccountOnboarding),
  reason: AccessReason.optional(),
});
export type AccountRequest = z.infer<typeof AccountRequest>;

/** What the caller's role may do, operations by module, as NetBird's dashboard asks for it. */
export const UserPermissions = z.object({
  /** Whether the user sees only their own resources. */
  is_restricted: z.boolean(),
  modules: z.record(z.string(), z.record(z.string(), z.boolean())),
});
export type UserPermissions = z.infer<typeof UserPermissions>;

/** Most temporary memberships that administrators may give one user. */
export const GROUPS_UNTIL_MAX = 64;

/** A temporary membership. */
export const GroupUntil = z.object({
  group: GroupId,
  /** When it ends. */
  until: dateTime,
  /** The access request that granted it. Absent: an administrator did. */
  request: Id.optional(),
});
export type GroupUntil = z.infer<typeof GroupUntil>;

/** A person or service user as /api/users returns it; NetBird's `User`. */
export const User = z.object({
  id: UserId,
  email: z.string(),
  /** Only in the response that creates a person at the embedded provider. Shown once. */
  invite_link: z.string().optional(),
  /** When the link expires. */
  invite_expires_at: dateTime.optional(),
  name: z.string(),
  role: Role,
  auto_groups: groupIds,
  /** Temporary memberships, in addition to `auto_groups`. Absent: none. */
  auto_groups_until: z.array(GroupUntil).optional(),
  status: z.enum(["active", "invited", "blocked"]),
  /** `NEVER` for a user who never signed in. */
  last_login: dateTime,
  is_current: z.boolean(),
  is_service_user: z.boolean(),
  is_blocked: z.boolean(),
  pending_approval: z.boolean(),
  issued: z.string(),
  /** Empty: not given. */
  idp_id: z.string(),
  /** Only for the caller. */
  permissions: UserPermissions.optional(),
});
export type User = z.infer<typeof User>;

/** Longest password in a body. A password beyond the provider's own limit gets the provider's error. */
const PASSWORD_CHARACTERS_MAX = 4_096;

/**
 * Body of POST /api/users. A service user needs a name, a person at the embedded provider an e-mail address.
 */
export const UserCreateRequest = z.object({
  email: unlessEmpty(Email),
  name: unlessEmpty(DisplayName),
  role: Role,
  auto_groups: listOrNone(groupIds),
  is_service_user: z.boolean(),
  /**
   * For a person at the embedded provider, instead of an invitation. It only allows choosing a new password.
   */
  password: unlessNull(z.string().max(PASSWORD_CHARACTERS_MAX)),
});
export type UserCreateRequest = z.infer<typeof UserCreateRequest>;

/** A link with which a person chooses a password. Shown once. */
export const PasswordLink = z.object({ link: z.string(), expires_at: dateTime });
export type PasswordLink = z.infer<typeof PasswordLink>;

/** Body of PUT /api/users/{id}/password; NetBird's names. */
export const PasswordChangeRequest = z.object({
  old_password: z.string().max(PASSWORD_CHARACTERS_MAX),
  new_password: z.string().max(PASSWORD_CHARACTERS_MAX),
});
export type PasswordChangeRequest = z.infer<typeof PasswordChangeRequest>;

/** Body of PUT /api/users/{id}. */
export const UserRequest = z.object({
  role: Role,
  /** All of them from now on. Null or absent: none. */
  auto_groups: listOrNone(groupIds),
  /**
   * Ours, additive: replaces all temporary memberships given by administrators; those from access requests
   * stay. Absent: unchanged.
   */
  auto_groups_until: unlessNull(z.array(GroupUntil).max(GROUPS_UNTIL_MAX)),
  is_blocked: z.boolean(),
  /** Ours, additive: false approves a pending person. Absent: unchanged. */
  pending_approval: unlessNull(z.boolean()),
});
export type UserRequest = z.infer<typeof UserRequest>;

/**
 * Scope of a token. `api` opens the REST API except for what needs a fresh sign-in; `dangerous` opens that
 * too; `ssh` only signs a service user in.
 */
export const TokenScope = z.enum(["api", "ssh", "dangerous"]);
export type TokenScope = z.infer<typeof TokenScope>;

/**
 * An API token as /api/users/{id}/tokens returns it: never the token itself. NetBird's shape plus `scope`.
 */
export const PersonalAccessToken = z.object({
  id: Id,
  name: z.string(),
  expiration_date: dateTime,
  created_by: z.string(),
  created_at: dateTime,
  /** `NEVER` for an unused token. */
  last_used: dateTime,
  scope: TokenScope.optional(),
});
export type PersonalAccessToken = z.infer<typeof PersonalAccessToken>;

/** Body of POST /api/users/{id}/tokens. */
export const PersonalAccessTokenRequest = z.object({
  name: DisplayName,
  /** Days. */
  expires_in: z.int().min(1).max(365),
  /** Ours, additive. Default api. */
  scope: TokenScope.optional(),
});
export type PersonalAccessTokenRequest = z.infer<typeof PersonalAccessTokenRequest>;

/** The response: the token, shown only this once, and its entry. */
export const PersonalAccessTokenGenerated = z.object({
  plain_token: z.string(),
  personal_access_token: PersonalAccessToken,
});
export type PersonalAccessTokenGenerated = z.infer<typeof PersonalAccessTokenGenerated>;

/** A setup key as /api/setup-keys returns it; NetBird's `SetupKey`. */
export const SetupKey = z.object({
  id: Id,
  /** The whole key only in the response that creates it; masked afterwards. */
  key: z.string(),
  name: z.string(),
  /** `NEVER` for a key that does not expire. */
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

/** Longest life of a setup key in seconds: a hundred years. Use a key without expiry for longer. */
export const SETUP_KEY_SECONDS_MAX = 3_153_600_000;

/** Body of POST /api/setup-keys. */
export const SetupKeyCreateRequest = z.object({
  name: DisplayName,
  type: z.enum(["one-off", "reusable"]),
  /** Seconds from now. 0: no end. */
  expires_in: z.int().min(0).max(SETUP_KEY_SECONDS_MAX),
  auto_groups: listOrNone(groupIds),
  usage_limit: z.int().min(0).max(1_000_000),
  ephemeral: unlessNull(z.boolean()),
  allow_extra_dns_labels: unlessNull(z.boolean()),
});
export type SetupKeyCreateRequest = z.infer<typeof SetupKeyCreateRequest>;

/**
 * Body of PUT /api/setup-keys/{id}. `auto_groups` replaces the whole list; empty means none. Null is refused,
 * as NetBird does.
 */
export const SetupKeyRequest = z.object({ revoked: z.boolean(), auto_groups: groupIds });
export type SetupKeyRequest = z.infer<typeof SetupKeyRequest>;

/** Ours: how people may request temporary membership, and what every grant at its machines must meet. */
const groupSettings = {
  /** Absent: false. */
  requestable: z.boolean().optional(),
  /** Groups whose standing members decide requests. Absent: the account's owners and admins. */
  approver_groups: z.array(GroupId).max(256).optional(),
  /** Longest membership by request, in seconds. Absent: 28800 (8 h). */
  request_seconds_max: z.int().min(60).max(REQUEST_SECONDS_MAX).optional(),
  require: Require.optional(),
};

/** A group with its members, as /api/groups returns it; NetBird's `Group`. */
export const Group = z.object({
  ...GroupMinimum.shape,
  peers: z.array(z.object({ id: PeerId, name: z.string() })),
  resources: z.array(Resource),
  ...groupSettings,
});
export type Group = z.infer<typeof Group>;

/** Body of POST /api/groups and PUT /api/groups/{id}. */
export const GroupRequest = z.object({
  name: DisplayName,
  /** All of them from now on. Null or absent: none. */
  peers: listOrNone(z.array(PeerId).max(100_000)),
  resources: listOrNone(z.array(z.unknown()).max(0, "are not available: a group holds peers")),
  /** Ours, additive. Absent: unchanged; for a new group, the defaults. */
  requestable: unlessNull(groupSettings.requestable),
  approver_groups: unlessNull(groupSettings.approver_groups),
  request_seconds_max: unlessNull(groupSettings.request_seconds_max),
  require: unlessNull(groupSettings.require),
});
export type GroupRequest = z.infer<typeof GroupRequest>;

/** The JSON that `qf management init` prints. `token` is the owner's API token, shown only this once. */
export const InitResult = z.object({ accountId: Id, ownerId: UserId, token: z.string() });
export type InitResult = z.infer<typeof InitResult>;

/** What `qf management rotate log-key` prints for each account. */
export interface RotatedLogKey {
  readonly accountId: string;
  readonly origin: string;
  readonly key: string;
}

/** The JSON that `qf management new-epoch` prints. */
export const NewEpochResult = z.object({ epoch: z.int().min(1) });
export type NewEpochResult = z.infer<typeof NewEpochResult>;

/** The single JSON line that `qf management serve` prints when ready. */
export const ServeReady = z.object({
  url: z.string(),
  issuer: z.string(),
  pid: z.int(),
  /** Redirect URIs to register at an external provider. Absent: the embedded provider signs people in. */
  redirectUris: z.array(z.string()).optional(),
});
export type ServeReady = z.infer<typeof ServeReady>;
