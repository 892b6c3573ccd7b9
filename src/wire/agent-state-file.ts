/**
 * Files that agents keep on disk. They are written by rename and read strictly; a file that does not parse is
 * reported by name and set aside, never silently replaced.
 *
 * @module
 */
import { z } from "zod";
import { NetworkMap } from "./network-map.ts";
import { AgeRecipient, RECORDING_RECIPIENTS_MAX } from "./recording.ts";
import { SshLimitFlags } from "./ssh-limits.ts";
import {
  AccountId,
  DnsName,
  DurationSeconds,
  EpochSeconds,
  HostLabel,
  HostPort,
  HttpUrl,
  OverlayAddress,
  PeerId,
} from "./units.ts";

/** `--listen none`: no direct listener; the machine is reached through the relay. */
export const LISTEN_NONE = "none";

/** Host key types that every machine has, named as in RFC 8709 and RFC 5656. */
export const HOST_KEY_TYPES = ["ssh-ed25519", "ecdsa-sha2-nistp256"] as const;
/** One of `HOST_KEY_TYPES`. */
export const HostKeyType = z.enum(HOST_KEY_TYPES, { error: `must be of ${HOST_KEY_TYPES.join(", ")}` });
export type HostKeyType = z.infer<typeof HostKeyType>;

/** An entry of `--intercept`: an OS user, or `@` and a group for its members. */
const Intercepted = z
  .string()
  .regex(/^@?[^@\s,:*/]+$/, "is no user and no @group")
  .max(257);

/** Flags of `qf agent up` as stored, under positive names. All are optional in a change. */
export const AgentFlagsStored = z.strictObject({
  managementUrl: HttpUrl,
  name: HostLabel.nullable(),
  listen: HostPort.or(z.literal(LISTEN_NONE)),
  /** Addresses advertised in addition to the interfaces' own. */
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
  /** Host key types to offer. Absent or empty: Ed25519. */
  sshHostKeyAlgorithms: z.array(HostKeyType).max(8).optional(),
  /** Users whose programs' connections to peers are intercepted. Absent or empty: none. */
  intercept: z.array(Intercepted).max(64).optional(),
  /** Domain under which peers' names resolve on this machine. Absent or null: they do not. */
  resolver: DnsName.nullable().optional(),
  /** Whether sessions that must be recorded may begin while management cannot store them. Absent: no. */
  recordOffline: z.boolean().optional(),
  /** Recipients of this machine's recordings. Absent or empty: the account's. */
  recordingRecipients: z.array(AgeRecipient).max(RECORDING_RECIPIENTS_MAX).optional(),
  /** Whether management may order upgrades of this machine. Absent: no. */
  managedUpgrades: z.boolean().optional(),
  ...SshLimitFlags.shape,
});
export type AgentFlagsStored = z.infer<typeof AgentFlagsStored>;

/** `<state>/agent.json` (0600): the flags, and the machine's enrolment. */
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
      /** Management's previous address, and until when it answers there. Absent: it has not moved. */
      movedFrom: z.strictObject({ origin: HttpUrl, untilSeconds: EpochSeconds }).optional(),
    })
    .optional(),
});
export type AgentStateFile = z.infer<typeof AgentStateFile>;

/** The result of enrolment: the machine's identity in an account. */
export type Enrolled = NonNullable<AgentStateFile["enrolled"]>;

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
 * `<state>/confirmed.json` (0600): when the map was last confirmed. It is small because it is written while
 * nothing changes, and newer than the time stored with the map. If the map is lost, a new one must have at
 * least this version.
 */
export const MapConfirmation = z.strictObject({
  format: z.literal(1),
  confirmedAtSeconds: EpochSeconds,
  epoch: z.int().min(1),
  version: z.int().min(1),
});
export type MapConfirmation = z.infer<typeof MapConfirmation>;
