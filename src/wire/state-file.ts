/**
 * Files that clients keep on disk, and the key that every device has; those of agents are in
 * `agent-state-file.ts`. Written by rename, read strictly; a file that does not parse is reported by name and
 * set aside, never silently replaced.
 *
 * @module
 */
import { z } from "zod";
import { AccessReason } from "./access-reason.ts";
import { CertificateIdentity } from "./certificate.ts";
import { TargetInfo } from "./client-api.ts";
import { lazySchema } from "./lazy-schema.ts";
import {
  AccountId,
  Base64Url,
  DurationSeconds,
  Ed25519PublicKey,
  EpochSeconds,
  HttpUrl,
  Id,
  PeerId,
} from "./units.ts";

/** `<state>/device-key.json` (0600), of a machine or of a person's device: Ed25519 seed. */
export const DeviceKeyFile = lazySchema(() =>
  z.strictObject({
    format: z.literal(1),
    /** 32 bytes, base64url. */
    seed: Base64Url.length(43),
    publicKey: Ed25519PublicKey,
  }),
);
export type DeviceKeyFile = z.infer<typeof DeviceKeyFile>;

/** `<state>/public/client.json` (0644): what `qf ssh` on this machine starts from. */
export const PublicClientFile = lazySchema(() =>
  z.strictObject({
    managementUrl: HttpUrl,
    ttlSeconds: DurationSeconds,
    /** Path of the agent's control socket, for vouching. Absent: none. */
    controlSocket: z.string().max(4096).optional(),
    /** New at each start of the agent; the file goes when it stops. Logins cached by this TTL die with it. */
    bootId: Id.optional(),
  }),
);
export type PublicClientFile = z.infer<typeof PublicClientFile>;

/** `$QF_CONFIG_DIR/config.json` (0600): what one person set with `qf login`. */
export const ClientConfigFile = lazySchema(() =>
  z.strictObject({
    format: z.literal(1),
    managementUrl: HttpUrl.optional(),
    /** `--ssh-jwt-cache-ttl` of `qf login`. Absent: not set by this person. */
    ttlSeconds: DurationSeconds.optional(),
    /** This device as registered, per management origin. */
    devices: z.record(
      z.string(),
      z.strictObject({
        peerId: PeerId,
        accountId: AccountId,
        /** Who signed in here last, for `qf whoami`. Absent: nobody since a logout. */
        user: z.strictObject({ id: Id, name: z.string(), email: z.string() }).optional(),
      }),
    ),
  }),
);
export type ClientConfigFile = z.infer<typeof ClientConfigFile>;

/** One cached login (0600), gone at `untilSeconds`, on logout, and when the agent stops. */
export const CachedLogin = lazySchema(() =>
  z.strictObject({
    format: z.literal(1),
    origin: HttpUrl,
    accountId: AccountId,
    /** Login key seed, 32 bytes base64url. */
    seed: Base64Url.length(43),
    loginId: Id,
    binding: z.enum(["idp", "ca", "service", "device"]),
    /** Present for binding `idp` only. */
    idToken: z.string().max(20_480).optional(),
    user: z.strictObject({ id: Id, name: z.string(), email: z.string() }),
    devicePeerId: PeerId,
    untilSeconds: EpochSeconds,
    /** Set by a machine's agent for everyone: dies with that agent (its boot). Absent: the person's own. */
    agentBootId: Id.optional(),
  }),
);
export type CachedLogin = z.infer<typeof CachedLogin>;

/** `$QF_CONFIG_DIR/paths.json` (0600): how peers were reached last. A cache: gone without loss. */
export const KnownPathsFile = lazySchema(() =>
  z.strictObject({
    format: z.literal(1),
    peers: z.record(
      PeerId,
      z.strictObject({
        path: z.enum(["direct", "relay"]),
        /** The direct address that answered last. Absent: none ever did. */
        address: z.string().max(253).optional(),
        atSeconds: EpochSeconds,
      }),
    ),
  }),
);
export type KnownPathsFile = z.infer<typeof KnownPathsFile>;

/**
 * `$QF_CONFIG_DIR/targets/*.json` (0600): a machine that a kept login had a certificate for, for offline
 * logins. A cache: gone without loss.
 */
export const KnownTargetFile = lazySchema(() =>
  z.strictObject({
    format: z.literal(1),
    origin: HttpUrl,
    /** Of the login that the certificate was made from: no other is used with it. */
    loginId: Id,
    target: TargetInfo,
    /** What management's certificate said of the person. */
    identity: CertificateIdentity,
    atSeconds: EpochSeconds,
  }),
);
export type KnownTargetFile = z.infer<typeof KnownTargetFile>;

/** `$QF_CONFIG_DIR/logs.json` (0600): the logs that this device has met, by their origins. */
export const PinnedLogsFile = lazySchema(() =>
  z.strictObject({
    format: z.literal(1),
    logs: z.record(
      z.string(),
      z.strictObject({
        /** The key that signs it: pinned when it was met first, never replaced by another's word. */
        key: Ed25519PublicKey,
        /** The largest checkpoint that was seen. Empty: none yet. */
        note: z.string().max(4096),
      }),
    ),
  }),
);
export type PinnedLogsFile = z.infer<typeof PinnedLogsFile>;

/**
 * `$QF_CONFIG_DIR/log-alarms.json` (0600): the first contradiction of each log that this device has met.
 * Nothing takes it back but a person, who removes the file.
 */
export const LogAlarmsFile = lazySchema(() =>
  z.strictObject({
    format: z.literal(1),
    alarms: z.record(
      z.string(),
      z.strictObject({
        what: z.string().max(256),
        /** The checkpoint that was noted before, and the one that contradicts it. The first may be empty. */
        notes: z.tuple([z.string().max(4096), z.string().max(4096)]),
      }),
    ),
  }),
);
export type LogAlarmsFile = z.infer<typeof LogAlarmsFile>;

/** `$QF_CONFIG_DIR/reason.json` (0600): what `qf reason set` keeps. */
export const KeptReasonFile = lazySchema(() =>
  z.strictObject({ format: z.literal(1), reason: AccessReason, untilSeconds: EpochSeconds }),
);
export type KeptReasonFile = z.infer<typeof KeptReasonFile>;
