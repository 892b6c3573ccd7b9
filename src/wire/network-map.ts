/**
 * The network map: everything management tells a machine, so that it can decide on its own, offline.
 *
 * Collections are keyed, so that a change is a small delta. Policy is strict: a build refuses a map with an
 * unknown field, since an unknown restriction must not become a grant.
 *
 * @module
 */
import { z } from "zod";
import { AuthorizedGroups, PortRange, Protocol, Schedule, SshCapabilities } from "./policy.ts";
import { AgeRecipient, RECORDING_RECIPIENTS_MAX } from "./recording.ts";
import {
  AccountId,
  DnsName,
  DurationSeconds,
  Ed25519PublicKey,
  EpochSeconds,
  GroupId,
  HostLabel,
  HostPort,
  HttpUrl,
  Id,
  LocalUser,
  OverlayAddress,
  PeerId,
  PolicyId,
  RuleId,
  SshPublicKeyBlob,
  UserId,
} from "./units.ts";

/**
 * Most rules of one map. Bounds a machine's memory; management refuses a larger account and never truncates.
 */
export const MAP_RULES_MAX = 20_000;
/** Most users of one map; see `MAP_RULES_MAX`. */
export const MAP_USERS_MAX = 200_000;
/** Most peers of one map; see `MAP_RULES_MAX`. */
export const MAP_PEERS_MAX = 200_000;

const groups = z.array(GroupId).max(1024);

/** Most live approvals at one machine. */
export const MAP_APPROVALS_MAX = 1_000;

/** An approval: satisfies one rule's `require_approval`, for one person on one device as one local user. */
export const MapApproval = z.strictObject({
  /** The request that was approved. */
  id: Id,
  ruleId: RuleId,
  userId: UserId,
  devicePeerId: PeerId,
  localUser: LocalUser,
  /** First second in which it no longer counts. */
  untilSeconds: EpochSeconds,
});
export type MapApproval = z.infer<typeof MapApproval>;

/** The machine this map is for. */
export const MapSelf = z.strictObject({
  peerId: PeerId,
  name: HostLabel,
  address: OverlayAddress,
  groups,
  /** False denies all SSH to this machine with its own reason. */
  sshEnabled: z.boolean(),
  /** Live approvals at this machine, by id. Absent: none. Older agents refuse maps with this field. */
  approvals: z.array(MapApproval).max(MAP_APPROVALS_MAX).optional(),
});
export type MapSelf = z.infer<typeof MapSelf>;

/** Account settings that a machine enforces. */
export const MapSettings = z.strictObject({
  domain: DnsName,
  /** How long a machine may decide from a stored map, in seconds. Default 3600. */
  maxStaleSeconds: DurationSeconds,
  /** The same for uid 0. Default 300. */
  maxStaleRootSeconds: DurationSeconds,
  /** Maximum age of a login (ID token `iat`) from which certificates are issued. Default 12 h. */
  loginSecondsMax: DurationSeconds,
  /** What every grant must meet, regardless of its rule. */
  require: z.strictObject({
    record: z.enum(["off", "best_effort", "required"]),
    reason: z.boolean(),
    approval: z.boolean(),
    /** Null: no such obligation. */
    reauthWithinSeconds: DurationSeconds.nullable(),
  }),
  /** Recipients of recordings. Absent: recordings are not encrypted. Older agents do not know this field. */
  recordingRecipients: z.array(AgeRecipient).min(1).max(RECORDING_RECIPIENTS_MAX).optional(),
});
export type MapSettings = z.infer<typeof MapSettings>;

/** A public JWK. Private members are refused. */
export const PublicJwk = z
  .looseObject({
    kty: z.string().max(16),
    kid: z.string().max(256).optional(),
    alg: z.string().max(32).optional(),
  })
  .refine((jwk) => !("d" in jwk) && !("k" in jwk), "holds private key material");
export type PublicJwk = z.infer<typeof PublicJwk>;

/** A provider whose ID tokens count as proof. */
export const TrustedIssuer = z.strictObject({
  /** Exact `iss`. */
  issuer: HttpUrl,
  /** Exact `aud` entries accepted. */
  audiences: z.array(z.string().min(1).max(512)).min(1).max(16),
  /** Exact `azp` values accepted, if a token has one. Absent: the audiences. */
  clients: z.array(z.string().min(1).max(512)).min(1).max(16).optional(),
  /** Claim that names the person inside this issuer. Default `sub`. */
  userIdClaim: z.string().min(1).max(128),
  /** Current keys, and old ones that may have signed a cached login. */
  keys: z.array(PublicJwk).max(64),
});
export type TrustedIssuer = z.infer<typeof TrustedIssuer>;

/** Whether a user may sign in: `blocked` and `pending` (of approval) may not. */
export const UserStatus = z.enum(["active", "blocked", "pending"]);
export type UserStatus = z.infer<typeof UserStatus>;

/** Longest name of a user in a map. Older agents accept no longer one. */
export const MAP_USER_NAME_MAX = 128;

/** A person or service user that some rule of this map may concern. */
export const MapUser = z.strictObject({
  id: UserId,
  /** Identity is (issuer, subject), never e-mail. Service users: management's own issuer. */
  issuer: z.string().max(2048),
  subject: z.string().max(512),
  /** Shown in status and audit. */
  name: z.string().max(MAP_USER_NAME_MAX),
  email: z.string().max(254),
  status: UserStatus,
  isService: z.boolean(),
  /** Permanent groups. */
  groups,
  /**
   * Temporary memberships, in addition to `groups`: the first second in which each no longer counts. Absent:
   * none. Older agents refuse maps with this field.
   */
  groupsUntil: z.record(GroupId, EpochSeconds).optional(),
});
export type MapUser = z.infer<typeof MapUser>;

/** A peer that may connect to this machine, or that a person may use. */
export const MapPeer = z.strictObject({
  id: PeerId,
  name: HostLabel,
  kind: z.enum(["machine", "device"]),
  address: OverlayAddress,
  deviceKey: Ed25519PublicKey,
  status: z.enum(["active", "blocked", "pending"]),
  /** The device's own groups. */
  groups,
  /** Its owner. Null: none (a machine enrolled by setup key). */
  ownerUserId: UserId.nullable(),
  /** Whether it also counts as in its owner's groups (`device_approval`). */
  ownerApproved: z.boolean(),
  /** Groups lent by the machine that vouched for this device. */
  vouchedGroups: groups,
  /** Ids of the posture checks this peer passes. Management computes them; the machine compares. */
  posturePassed: z.array(Id).max(1024),
  /** Whether it is a browser. Absent: no, or no rule needs it. Older agents do not know this field. */
  isBrowser: z.literal(true).optional(),
});
export type MapPeer = z.infer<typeof MapPeer>;

/** One rule as a machine sees it. Only rules with this machine among their destinations are sent. */
export const MapRule = z.strictObject({
  id: RuleId,
  policyId: PolicyId,
  /** Rule and policy both. */
  enabled: z.boolean(),
  action: z.enum(["accept", "drop"]),
  protocol: Protocol,
  /** Its TCP/UDP ports, as ranges. Empty: all ports; for SSH rules, 22. */
  ports: z.array(PortRange).max(512),
  sources: groups,
  sourcePeerId: PeerId.nullable(),
  sourceDevices: groups,
  /** Groups of machines whose intercepted streams it admits. Absent: none. Older agents refuse this field. */
  allowIntercepted: groups.min(1).optional(),
  destinations: groups,
  destinationPeerId: PeerId.nullable(),
  /** Empty: full access. */
  authorizedGroups: AuthorizedGroups,
  capabilities: SshCapabilities,
  machineLocalUsers: z.array(LocalUser).max(256).nullable(),
  /** A machine that is a source of such a rule also gets it, except for SSH rules. */
  bidirectional: z.boolean(),
  validFromSeconds: EpochSeconds.nullable(),
  validUntilSeconds: EpochSeconds.nullable(),
  schedule: Schedule.nullable(),
  /** All of these must be in the device's `posturePassed`. */
  postureChecks: z.array(Id).max(32),
});
export type MapRule = z.infer<typeof MapRule>;

/** An SSH user CA in force. More than one while one replaces another. */
export const MapCa = z.strictObject({ id: Id, publicKey: SshPublicKeyBlob });
export type MapCa = z.infer<typeof MapCa>;

/** A login ended early (logout, refusal by the provider). */
export const RevokedLogin = z.strictObject({
  /** SHA-256 of the login key's SSH blob, base64url. */
  id: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  /** After this the login would have expired anyway, and the entry is removed. */
  untilSeconds: EpochSeconds,
});
export type RevokedLogin = z.infer<typeof RevokedLogin>;

/** The whole map. `version` grows by one account-wide counter; `epoch` grows when a backup is restored. */
export const NetworkMap = z.strictObject({
  protocolVersion: z.int().min(1),
  accountId: AccountId,
  /** Management's origin: part of everything we sign. */
  origin: HttpUrl,
  epoch: z.int().min(1),
  version: z.int().min(1),
  self: MapSelf,
  settings: MapSettings,
  cas: z.record(Id, MapCa),
  issuers: z.array(TrustedIssuer).max(16),
  /** Keys of management's own short tokens. */
  managementKeys: z.array(PublicJwk).max(16),
  users: z.record(UserId, MapUser),
  peers: z.record(PeerId, MapPeer),
  rules: z.record(RuleId, MapRule),
  revokedLogins: z.record(z.string(), RevokedLogin),
});
export type NetworkMap = z.infer<typeof NetworkMap>;

/** Change of one keyed collection: entries set whole, and removed keys. */
function collectionDelta<T extends z.ZodType>(entry: T) {
  return z.strictObject({ put: z.array(entry).max(200_000), gone: z.array(z.string().max(64)).max(200_000) });
}

/** What changed between two versions. Absent means unchanged. */
export const NetworkMapDelta = z.strictObject({
  fromVersion: z.int().min(1),
  toVersion: z.int().min(1),
  self: MapSelf.optional(),
  settings: MapSettings.optional(),
  issuers: z.array(TrustedIssuer).max(16).optional(),
  managementKeys: z.array(PublicJwk).max(16).optional(),
  cas: collectionDelta(MapCa).optional(),
  users: collectionDelta(MapUser).optional(),
  peers: collectionDelta(MapPeer).optional(),
  rules: collectionDelta(MapRule).optional(),
  revokedLogins: collectionDelta(RevokedLogin).optional(),
});
export type NetworkMapDelta = z.infer<typeof NetworkMapDelta>;

/** Addresses at which a peer's direct listener may be reached. */
export const DirectAddresses = z.array(HostPort).max(32);
