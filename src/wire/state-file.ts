/**
 * What agent and client keep on disk. Written by rename, read strictly; a file that does not parse is
 * reported by name and set aside, never silently replaced.
 *
 * @module
 */
import { z } from "zod";
import { CertificateIdentity } from "./certificate.ts";
import { TargetInfo } from "./client-api.ts";
import { NetworkMap } from "./network-map.ts";
import { SshLimitFlags } from "./ssh-limits.ts";
import {
  AccountId,
  Base64Url,
  DnsName,
  DurationSeconds,
  Ed25519PublicKey,
  EpochSeconds,
  HostLabel,
  HostPort,
  HttpUrl,
  Id,
  OverlayAddress,
  PeerId,
} from "./units.ts";

/** `--listen none`: no direct listener; the machine is reached through the relay. */
export const LISTEN_NONE = "none";

/** Types of host key that every machine has. */
export const HOST_KEY_TYPES = ["ssh-ed25519", "ecdsa-sha2-nistp256"] as const;
export const HostKeyType = z.enum(HOST_KEY_TYPES, { error: `must be of ${HOST_KEY_TYPES.join(", ")}` });
export type HostKeyType = z.infer<typeof HostKeyType>;

/** `qf agent up` flags as they are kept: positive names, all optional in a change. */
export const AgentFlagsStored = z.strictObject({
  managementUrl: HttpUrl,
  name: HostLabel.nullable(),
  listen: HostPort.or(z.literal(LISTEN_NONE)),
  /** Addresses told to others beside the interfaces' own. */
  advertise: z.array(HostPort).max(16),
  sshServer: z.boolean(),
  sshRoot: z.boolean(),
  sshSftp: z.boolean(),
  sshLocalForwarding: z.boolean(),
  sshRemoteForwarding: z.boolean(),
  sshAuth: z.boolean(),
  sshJwtCacheTtlSeconds: DurationSeconds,
  plainSshListen: HostPort.nullable(),
  offlineLogins: z.boolean(),
  requireIdpBinding: z.boolean(),
  pinIssuer: HttpUrl.nullable(),
  pinAudience: z.string().max(512).nullable(),
  /** Types of host key that are offered. Absent or empty: Ed25519. */
  sshHostKeyAlgorithms: z.array(HostKeyType).max(8).optional(),
  ...SshLimitFlags.shape,
});
export type AgentFlagsStored = z.infer<typeof AgentFlagsStored>;

/** `<state>/agent.json`. */
export const AgentStateFile = z.strictObject({
  format: z.literal(1),
  flags: AgentFlagsStored,
  /** Absent until enrolled. */
  enrolled: z
    .strictObject({
      accountId: AccountId,
      origin: HttpUrl,
      peerId: PeerId,
      name: HostLabel,
      domain: DnsName,
      address: OverlayAddress,
    })
    .optional(),
});
export type AgentStateFile = z.infer<typeof AgentStateFile>;

/** `<state>/device-key.json` (0600), of a machine or of a person's device: Ed25519 seed. */
export const DeviceKeyFile = z.strictObject({
  format: z.literal(1),
  /** 32 bytes, base64url. */
  seed: Base64Url.length(43),
  publicKey: Ed25519PublicKey,
});
export type DeviceKeyFile = z.infer<typeof DeviceKeyFile>;

/** `<state>/host-keys.json` (0600): OpenSSH private keys in PEM. */
export const HostKeyFile = z.strictObject({
  format: z.literal(1),
  keys: z
    .array(z.strictObject({ type: HostKeyType, pem: z.string().max(8192) }))
    .min(1)
    .max(4),
});
export type HostKeyFile = z.infer<typeof HostKeyFile>;

/** `<state>/map.json` (0600): the last map and when management last said it was current. */
export const StoredMap = z.strictObject({
  format: z.literal(1),
  confirmedAtSeconds: EpochSeconds,
  map: NetworkMap,
});
export type StoredMap = z.infer<typeof StoredMap>;

/**
 * `<state>/confirmed.json` (0600): newer than the time beside the map, and small, since it is written
 * while nothing changes. Its version is also the least a map may have, should the map be lost.
 */
export const MapConfirmation = z.strictObject({
  format: z.literal(1),
  confirmedAtSeconds: EpochSeconds,
  epoch: z.int().min(1),
  version: z.int().min(1),
});
export type MapConfirmation = z.infer<typeof MapConfirmation>;

/** `<state>/public/client.json` (0644): what `qf ssh` on this machine starts from. */
export const PublicClientFile = z.strictObject({
  managementUrl: HttpUrl,
  ttlSeconds: DurationSeconds,
  /** Path of the agent's control socket, for vouching. Absent: none. */
  controlSocket: z.string().max(4096).optional(),
  /** New at each start of the agent; the file goes when it stops. Logins cached by this TTL die with it. */
  bootId: Id.optional(),
});
export type PublicClientFile = z.infer<typeof PublicClientFile>;

/** `$QF_CONFIG_DIR/config.json` (0600): what one person set with `qf login`. */
export const ClientConfigFile = z.strictObject({
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
});
export type ClientConfigFile = z.infer<typeof ClientConfigFile>;

/** One cached login (0600), gone at `untilSeconds`, on logout, and when the agent stops. */
export const CachedLogin = z.strictObject({
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
});
export type CachedLogin = z.infer<typeof CachedLogin>;

/** `$QF_CONFIG_DIR/paths.json` (0600): how peers were reached last. A cache: gone without loss. */
export const KnownPathsFile = z.strictObject({
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
});
export type KnownPathsFile = z.infer<typeof KnownPathsFile>;

/**
 * `$QF_CONFIG_DIR/targets/*.json` (0600): a machine that a kept login had a certificate for, for offline
 * logins. A cache: gone without loss.
 */
export const KnownTargetFile = z.strictObject({
  format: z.literal(1),
  origin: HttpUrl,
  /** Of the login that the certificate was made from: no other is used with it. */
  loginId: Id,
  target: TargetInfo,
  /** What management's certificate said of the person. */
  identity: CertificateIdentity,
  atSeconds: EpochSeconds,
});
export type KnownTargetFile = z.infer<typeof KnownTargetFile>;
