/**
 * Bodies and answers of the REST API under `/api`, in the shapes of NetBird's public API. The only
 * source of validation and of `/api/openapi.json`.
 *
 * Unknown fields are ignored, as NetBird's clients expect, and named in the answer's `X-Ignored` header.
 * Where ignoring one could mean more than was written, as in policies and posture checks, they are refused.
 * Settings are in `account-settings.ts`, policies in `policy.ts`, audit events in `audit-event.ts`.
 *
 * @module
 */
import { z } from "zod";
import { AccountSettings, Require } from "./account-settings.ts";
import { DisplayName } from "./display-name.ts";
import { listOrNone, unlessEmpty, unlessNull } from "./given.ts";
import { GroupMinimum, Resource } from "./policy.ts";
import { REQUEST_SECONDS_MAX } from "./policy-file.ts";
import { Email, GroupId, Id, PeerId, UserId } from "./units.ts";

/** A time that never came, or never comes, as NetBird writes it. */
export const NEVER = "0001-01-01T00:00:00Z";

const dateTime = z.iso.datetime({ offset: true });
const groupIds = z.array(GroupId).max(1024);

/**
 * owner: everything; admin: all but owners; auditor: reads everything; user: own things. Of NetBird's own,
 * network_admin is what auditor is, and billing_admin what user is.
 */
export const Role = z.enum(["owner", "admin", "network_admin", "auditor", "billing_admin", "user"]);
export type Role = z.infer<typeof Role>;

/**
 * First steps that NetBird's dashboard shows for a new account. Stored and given back, without meaning here.
 */
export const AccountOnboarding = z.object({
  signup_form_pending: z.boolean(),
  onboarding_flow_pending: z.boolean(),
});

/** An account as GET /api/accounts answers it; NetBird's `Account` plus `warnings`. Times are ISO 8601. */
export const Account = z.object({
  id: Id,
  settings: AccountSettings,
  domain: z.string(),
  domain_category: z.string(),
  created_at: dateTime,
  created_by: z.string(),
  onboarding: AccountOnboarding,
  /** Said at saving: settings that are kept and have no effect here. */
  warnings: z.array(z.string()).optional(),
});
export type Account = z.infer<typeof Account>;

/** Body of PUT /api/accounts/{id}. A setting that is left out stays as it was. */
export const AccountRequest = z.object({
  settings: AccountSettings,
  onboarding: unlessNull(AccountOnboarding),
});
export type AccountRequest = z.infer<typeof AccountRequest>;

/**
 * What the caller's role may do with each kind of thing: operation by module, as NetBird's dashboard asks it.
 */
export const UserPermissions = z.object({
  /** Whether it sees its own things only. */
  is_restricted: z.boolean(),
  modules: z.record(z.string(), z.record(z.string(), z.boolean())),
});
export type UserPermissions = z.infer<typeof UserPermissions>;

/** Most memberships with an end that administrators give one user. */
export const GROUPS_UNTIL_MAX = 64;

/** A membership with an end. */
export const GroupUntil = z.object({
  group: GroupId,
  /** From then on it does not count. */
  until: dateTime,
  /** The request that it comes from. Absent: an administrator gave it. */
  request: Id.optional(),
});
export type GroupUntil = z.infer<typeof GroupUntil>;

/** A person or service user as /api/users answers it; NetBird's `User`. */
export const User = z.object({
  id: UserId,
  email: z.string(),
  /** Only in the answer to the creation of a person of the embedded provider. Shown once. */
  invite_link: z.string().optional(),
  /** Until when it may be used. */
  invite_expires_at: dateTime.optional(),
  name: z.string(),
  role: Role,
  auto_groups: groupIds,
  /** Memberships with an end, beside those. Absent: none. */
  auto_groups_until: z.array(GroupUntil).optional(),
  status: z.enum(["active", "invited", "blocked"]),
  /** Of one who never signed in: the first second of the year 1. */
  last_login: dateTime,
  is_current: z.boolean(),
  is_service_user: z.boolean(),
  is_blocked: z.boolean(),
  pending_approval: z.boolean(),
  issued: z.string(),
  /** Empty: not said. */
  idp_id: z.string(),
  /** Of the caller itself only. */
  permissions: UserPermissions.optional(),
});
export type User = z.infer<typeof User>;

/** Longest password in a body: what is longer than the provider takes is answered by the provider's rule. */
const PASSWORD_CHARACTERS_MAX = 4_096;

/**
 * Body of POST /api/users. A service user needs a name, a person of the embedded provider an e-mail address.
 */
export const UserCreateRequest = z.object({
  email: unlessEmpty(Email),
  name: unlessEmpty(DisplayName),
  role: Role,
  auto_groups: listOrNone(groupIds),
  is_service_user: z.boolean(),
  /**
   * Of a person of the embedded provider, in place of an invitation: good for nothing but choosing another.
   */
  password: unlessNull(z.string().max(PASSWORD_CHARACTERS_MAX)),
});
export type UserCreateRequest = z.infer<typeof UserCreateRequest>;

/** A link by which a person chooses a password. Shown once. */
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
   * Ours, additive: memberships with an end, all that an administrator gives from now on; those of requests
   * stay. Absent: unchanged.
   */
  auto_groups_until: unlessNull(z.array(GroupUntil).max(GROUPS_UNTIL_MAX)),
  is_blocked: z.boolean(),
  /** Ours, additive: false lets a pending person in. Absent: unchanged. */
  pending_approval: unlessNull(z.boolean()),
});
export type UserRequest = z.infer<typeof UserRequest>;

/**
 * What a token is for. `api` opens the REST API, but for what takes a fresh sign-in; `dangerous` opens that
 * too; `ssh` signs a service user in and nothing else.
 */
export const TokenScope = z.enum(["api", "ssh", "dangerous"]);
export type TokenScope = z.infer<typeof TokenScope>;

/**
 * An API token as /api/users/{id}/tokens answers it: never the token itself. NetBird's shape plus `scope`.
 */
export const PersonalAccessToken = z.object({
  id: Id,
  name: z.string(),
  expiration_date: dateTime,
  created_by: z.string(),
  created_at: dateTime,
  /** Of one that was never used: the first second of the year 1. */
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

/** Answer to that: the token, which is shown this once, and its entry. */
export const PersonalAccessTokenGenerated = z.object({
  plain_token: z.string(),
  personal_access_token: PersonalAccessToken,
});
export type PersonalAccessTokenGenerated = z.infer<typeof PersonalAccessTokenGenerated>;

/** A setup key as /api/setup-keys answers it; NetBird's `SetupKey`. */
export const SetupKey = z.object({
  id: Id,
  /** Whole once, in the answer to its creation; a masked form afterwards. */
  key: z.string(),
  name: z.string(),
  /** Of one without end: the first second of the year 1. */
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

/** Longest life of a setup key in seconds: a hundred years. A key that shall last longer has no end. */
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
 * Body of PUT /api/setup-keys/{id}. `auto_groups` are all of them from now on; an empty list is none. Null is
 * refused, as NetBird does.
 */
export const SetupKeyRequest = z.object({ revoked: z.boolean(), auto_groups: groupIds });
export type SetupKeyRequest = z.infer<typeof SetupKeyRequest>;

/** Ours: how people may ask to be in it for a while, and what every grant at its machines must meet. */
const groupSettings = {
  /** Absent: false. */
  requestable: z.boolean().optional(),
  /** Groups whose standing members decide about requests. Absent: the account's owners and admins. */
  approver_groups: z.array(GroupId).max(256).optional(),
  /** Longest membership by request, in seconds. Absent: 28800 (8 h). */
  request_seconds_max: z.int().min(60).max(REQUEST_SECONDS_MAX).optional(),
  require: Require.optional(),
};

/** A group with its members, as /api/groups answers it; NetBird's `Group`. */
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
  /** Ours, additive. Absent: unchanged; of a new group, the defaults. */
  requestable: unlessNull(groupSettings.requestable),
  approver_groups: unlessNull(groupSettings.approver_groups),
  request_seconds_max: unlessNull(groupSettings.request_seconds_max),
  require: unlessNull(groupSettings.require),
});
export type GroupRequest = z.infer<typeof GroupRequest>;

/** The JSON that `qf management init` prints. `token` is the owner's API token, shown this once. */
export const InitResult = z.object({ accountId: Id, ownerId: UserId, token: z.string() });
export type InitResult = z.infer<typeof InitResult>;

/** What `qf management rotate log-key` prints of each account. */
export interface RotatedLogKey {
  readonly accountId: string;
  readonly origin: string;
  readonly key: string;
}

/** The JSON that `qf management new-epoch` prints. */
export const NewEpochResult = z.object({ epoch: z.int().min(1) });
export type NewEpochResult = z.infer<typeof NewEpochResult>;

/** The one JSON line of `qf management serve` when it is ready. */
export const ServeReady = z.object({
  url: z.string(),
  issuer: z.string(),
  pid: z.int(),
  /** To register at an external provider. Absent: the embedded one signs people in. */
  redirectUris: z.array(z.string()).optional(),
});
export type ServeReady = z.infer<typeof ServeReady>;
