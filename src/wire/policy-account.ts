/**
 * An account from policy's point of view: everything that determines access, with names.
 *
 * Management builds it for `diff`, `test`, `who` and `what`, and exports it for running tests offline. It
 * holds no secrets: no tokens, and only public keys.
 *
 * @module
 */
import { z } from "zod";
import { Require } from "./account-settings.ts";
import { Action } from "./decision.ts";
import { RuleName } from "./display-name.ts";
import { MAP_PEERS_MAX, MAP_RULES_MAX, MAP_USERS_MAX, MapPeer, MapSettings, MapUser } from "./network-map.ts";
import { PolicyRule } from "./policy.ts";
import { POLICY_TESTS_MAX, REQUEST_SECONDS_MAX } from "./policy-file.ts";
import { ReasonCode } from "./reason.ts";
import { AccountId, GroupId, LocalUser, PeerId, PolicyId, RuleId, UserId } from "./units.ts";

/** Format name of an export. The number identifies the shape. */
export const POLICY_ACCOUNT_FORMAT = "qufabric-policy-account/1";

/** Stored settings of a group. Absent fields have their defaults. */
export const GroupSettings = z.strictObject({
  /** Whether people may ask for a temporary membership. Absent: false. */
  requestable: z.boolean().optional(),
  /** Groups whose members decide about requests. Absent: the account's admins. */
  approverGroups: z.array(GroupId).max(256).optional(),
  /** Longest membership by request, in seconds. */
  requestSecondsMax: z.int().min(60).max(REQUEST_SECONDS_MAX).optional(),
  /** What every grant at a machine in the group must meet, whatever its rule says. Absent: nothing. */
  require: Require.optional(),
});
export type GroupSettings = z.infer<typeof GroupSettings>;

/** A stored test. It uses ids, so that renaming does not affect it. */
export const PolicyTest = z.strictObject({
  /** Shown where it fails. Empty: none. */
  name: RuleName,
  userId: UserId,
  /** Null: from any of the person's devices. */
  devicePeerId: PeerId.nullable(),
  machinePeerId: PeerId,
  localUser: LocalUser,
  action: Action,
  expect: z.enum(["allow", "deny"]),
  /** The reason that a denial must have. Null: any. */
  reason: ReasonCode.nullable(),
});
export type PolicyTest = z.infer<typeof PolicyTest>;

const { sources: _, destinations: __, name: ___, description: ____, ...ruleShape } = PolicyRule.shape;

/** A rule of an account: groups by id. Every field but these has its meaning in `policy.ts`. */
export const AccountRule = z.strictObject({
  ...ruleShape,
  id: RuleId,
  name: z.string(),
  description: z.string().optional(),
  sources: z.array(GroupId).nullable().optional(),
  sourceResource: z
    .strictObject({ id: PeerId, type: z.literal("peer") })
    .nullable()
    .optional(),
  destinations: z.array(GroupId).nullable().optional(),
  destinationResource: z
    .strictObject({ id: PeerId, type: z.literal("peer") })
    .nullable()
    .optional(),
});
export type AccountRule = z.infer<typeof AccountRule>;

/** A policy of an account. */
export const AccountPolicy = z.strictObject({
  id: PolicyId,
  name: z.string(),
  /** Null: none. */
  description: z.string().nullable(),
  enabled: z.boolean(),
  sourcePostureChecks: z.array(z.string().max(64)),
  /** In order of writing. */
  rules: z.array(AccountRule),
});
export type AccountPolicy = z.infer<typeof AccountPolicy>;

/** A group of an account. Users and peers list their memberships. */
export const AccountGroup = z.strictObject({
  id: GroupId,
  name: z.string(),
  isAll: z.boolean(),
  settings: GroupSettings,
});
export type AccountGroup = z.infer<typeof AccountGroup>;

/** A peer of an account, with its names. */
export const AccountPeerEntry = MapPeer.extend({
  sshEnabled: z.boolean(),
  /** Labels below the account's domain. */
  dnsName: z.string(),
  /** What people see. */
  shownName: z.string(),
  /** What its groups require. Absent: nothing. */
  require: MapSettings.shape.require.optional(),
});
export type AccountPeerEntry = z.infer<typeof AccountPeerEntry>;

/** The whole account, of one version. */
export const PolicyAccount = z.strictObject({
  format: z.literal(POLICY_ACCOUNT_FORMAT),
  accountId: AccountId,
  /** The account's version. */
  version: z.int().min(0),
  settings: MapSettings.extend({
    /** Default for rules without the field. Absent: true. */
    allowBrowsers: z.literal(false).optional(),
  }),
  groups: z.array(AccountGroup),
  /** With all their groups, `All` included. */
  users: z.array(MapUser).max(MAP_USERS_MAX),
  peers: z.array(AccountPeerEntry).max(MAP_PEERS_MAX),
  postureChecks: z.array(z.strictObject({ id: z.string(), name: z.string() })),
  policies: z.array(AccountPolicy).max(MAP_RULES_MAX),
  tests: z.array(PolicyTest).max(POLICY_TESTS_MAX),
});
export type PolicyAccount = z.infer<typeof PolicyAccount>;
