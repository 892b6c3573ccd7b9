/**
 * The client API between a person's device (`qf login`, `qf ssh`, `qf proxy`) and management. It is JSON
 * under `/client/v1`, without cookies or API tokens. What matters is signed by the keys that are named.
 *
 * A connection takes these steps: config, challenge, (login with the provider), register once, certificate.
 *
 * @module
 */
import { z } from "zod";
import { AccessReason } from "./access-reason.ts";
import { Binding, ID_TOKEN_BYTES_MAX } from "./certificate.ts";
import { lazySchema } from "./lazy-schema.ts";
import { ServedLog } from "./log-entry.ts";
import { ReasonCode } from "./reason.ts";
import {
  DnsName,
  Ed25519PublicKey,
  Ed25519Signature,
  EpochSeconds,
  HostLabel,
  HostPort,
  Id,
  LocalUser,
  OverlayAddress,
  PeerId,
  Port,
  SshPublicKeyBlob,
  UserId,
} from "./units.ts";

/** A compact JWS, unverified. */
export const CompactJws = lazySchema(() =>
  z
    .string()
    .max(ID_TOKEN_BYTES_MAX)
    .regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/, "is not a compact JWS"),
);

/** POST /client/v1/challenges → a value that can be used once within 60 s, whatever the outcome. */
export const Challenge = lazySchema(() =>
  z.object({
    challenge: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
    expiresAtSeconds: EpochSeconds,
  }),
);
export type Challenge = z.infer<typeof Challenge>;

/** What a peer reports about itself. Shown and used by posture checks, never trusted for access. */
export const PeerFacts = lazySchema(() =>
  z.strictObject({
    hostname: HostLabel,
    os: z.string().max(64),
    kernelVersion: z.string().max(128),
    version: z.string().max(64),
  }),
);
export type PeerFacts = z.infer<typeof PeerFacts>;

/** Leaves room for everything else in a request of 64 kB. */
export const ACCESS_TOKEN_LENGTH_MAX = 32_768;

/**
 * The source of a login's token. `claimed`: a token without a nonce that management already holds for this
 * login key (binding `ca`) and never gives out.
 */
export const LoginProof = lazySchema(() =>
  z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("id_token"),
      idToken: CompactJws,
      /** For UserInfo, if the ID token lacks name, e-mail or groups. Used once, never stored. */
      accessToken: z.string().min(1).max(ACCESS_TOKEN_LENGTH_MAX).optional(),
      /** The hosted sign-in that received this token. Its facts about the person are already known. */
      hostedId: Id.optional(),
    }),
    z.strictObject({ kind: z.literal("claimed"), loginId: Id }),
    z.strictObject({ kind: z.literal("service_token"), token: z.string().min(16).max(256) }),
  ]),
);
export type LoginProof = z.infer<typeof LoginProof>;

/** Fields common to all requests signed by both a person's login key and their device key. */
export const signedByPerson = () => ({
  challenge: z.string().max(64),
  timeSeconds: EpochSeconds,
  /** Raw Ed25519 login key. */
  loginKey: Ed25519PublicKey,
  proof: LoginProof,
  loginSignature: Ed25519Signature,
  deviceSignature: Ed25519Signature,
});

/**
 * POST /client/v1/devices: registers this device for the person who signed in, or finds it again by
 * its key. Both signatures are over signedBytes("register", …, {challenge, loginKey, deviceKey,
 * proofHash, timeSeconds}); proofHash is base64url SHA-256 of the ID token, login id or token.
 */
export const RegisterRequest = lazySchema(() =>
  z.strictObject({
    ...signedByPerson(),
    deviceKey: Ed25519PublicKey,
    facts: PeerFacts,
    /** From the machine's agent over its control socket; see wire/control.ts. Absent: none. */
    vouch: z
      .strictObject({
        machinePeerId: PeerId,
        /** OS user id of the caller, as the agent saw it. Part of the signed fields. */
        uid: z.int().min(0),
        timeSeconds: EpochSeconds,
        signature: Ed25519Signature,
      })
      .optional(),
  }),
);
export type RegisterRequest = z.infer<typeof RegisterRequest>;

/** Answer to `RegisterRequest`: the registered device, and the login. */
export const RegisterResponse = lazySchema(() =>
  z.object({
    peerId: PeerId,
    name: z.string(),
    address: OverlayAddress,
    user: z.object({ id: UserId, name: z.string(), email: z.string() }),
    /** Names this login in later requests; for `ca` bindings it is the only handle. */
    loginId: Id,
    binding: Binding,
    /** Until when management issues certificates for this login. */
    loginUntilSeconds: EpochSeconds,
    /** `pending` devices exist but open nothing yet. */
    deviceStatus: z.enum(["active", "pending"]),
    /** The account's log, whose key the device pins. Absent: management has none, or is older. */
    log: ServedLog.optional(),
  }),
);
export type RegisterResponse = z.infer<typeof RegisterResponse>;

/**
 * POST /client/v1/certificates. Signatures by login key and device key over signedBytes("mint", …,
 * {challenge, loginKey, devicePeerId, proofHash, target, localUser, accessReason where it is given,
 * timeSeconds}).
 */
export const CertificateRequest = lazySchema(() =>
  z.strictObject({
    ...signedByPerson(),
    devicePeerId: PeerId,
    /** Peer id, name, full name or overlay address, as the person typed it, lower case. */
    target: z.string().min(1).max(253),
    /** The requested OS user, if known: lets management refuse early with the reason. Empty: unknown. */
    localUser: z.union([LocalUser, z.literal("")]),
    /** The reason for the access, signed after `localUser`. Absent: no reason, and no such field signed. */
    accessReason: AccessReason.optional(),
  }),
);
export type CertificateRequest = z.infer<typeof CertificateRequest>;

/** Where and how to reach a machine, as management knows it now. */
export const TargetInfo = lazySchema(() =>
  z.object({
    peerId: PeerId,
    /** Full name. It is printed, and used as a file name and in known_hosts. */
    name: DnsName,
    address: OverlayAddress,
    /** Registered SSH host keys; a mismatch is fatal. */
    hostKeys: z.array(SshPublicKeyBlob).max(8),
    direct: z.array(HostPort).max(32),
    connected: z.boolean(),
    /** What the agent reported: false means it runs without --allow-server-ssh. */
    sshServer: z.boolean(),
    /** Whether it runs with --disable-ssh-auth: the device key signs in, not a certificate. */
    machineIdentity: z.boolean(),
    /** Whether an admin has confirmed its name, so that it works without the domain. Absent: no. */
    nameConfirmed: z.boolean().optional(),
    /** Whether it accepts a hello with `via`. Absent: no. */
    via: z.boolean().optional(),
    /** Port of the relay's plain listener, at the host of the public URL. Absent: there is none. */
    relayPort: Port.optional(),
  }),
);
export type TargetInfo = z.infer<typeof TargetInfo>;

/**
 * POST /client/v1/targets: where a machine is, for a device that the network rules let reach it. Needs no
 * sign-in. Signed by the device key over signedBytes("target", …, the other fields in this order).
 */
export const TargetRequest = lazySchema(() =>
  z.strictObject({
    challenge: z.string().max(64),
    devicePeerId: PeerId,
    /** As in `CertificateRequest`. */
    target: z.string().min(1).max(253),
    timeSeconds: EpochSeconds,
    deviceSignature: Ed25519Signature,
  }),
);
export type TargetRequest = z.infer<typeof TargetRequest>;

/** Answer to `TargetRequest`. A machine out of the device's reach is 404, like one that does not exist. */
export const TargetResponse = lazySchema(() => z.object({ target: TargetInfo }));
export type TargetResponse = z.infer<typeof TargetResponse>;

/** Most names in one list. */
export const NAMES_MAX = 4_096;

/**
 * POST /client/v1/names: machines that people may name without the domain, among those that a rule opens
 * for this device. Needs no sign-in. Signed by the device key over signedBytes("names", …, the fields below).
 */
export const NamesRequest = lazySchema(() =>
  z.strictObject({
    challenge: z.string().max(64),
    devicePeerId: PeerId,
    timeSeconds: EpochSeconds,
    /** Also lists every machine with its address. Signed as "yes", last; an older management refuses it. */
    addresses: z.literal("yes").optional(),
    deviceSignature: Ed25519Signature,
  }),
);
export type NamesRequest = z.infer<typeof NamesRequest>;

/** Answer to `NamesRequest`. */
export const NamesResponse = lazySchema(() =>
  z.object({
    domain: DnsName,
    /** First labels of the machines whose names an admin has confirmed, sorted. */
    names: z.array(HostLabel).max(NAMES_MAX),
    /** If requested: every machine that some rule opens, including those without a confirmed name. */
    machines: z
      .array(z.object({ name: HostLabel, address: OverlayAddress }))
      .max(NAMES_MAX)
      .optional(),
  }),
);
export type NamesResponse = z.infer<typeof NamesResponse>;

/** A checkpoint delivered with a certificate. */
export const LogSeen = lazySchema(() =>
  z.object({
    ...ServedLog.omit({ moves: true }).shape,
    note: z.string().max(4096),
    /** Whether the machine accepts it in the hello. */
    inHello: z.boolean(),
  }),
);
export type LogSeen = z.infer<typeof LogSeen>;

/**
 * Answer to `CertificateRequest`. A denial is a normal answer with a reason and a receipt, not an HTTP
 * failure.
 */
export const CertificateResponse = lazySchema(() =>
  z.discriminatedUnion("outcome", [
    z.object({
      outcome: z.literal("issued"),
      /** The certificate blob in base64, as in a `-cert.pub` file. Empty with `target.machineIdentity`. */
      certificate: z.string().max(65_536),
      target: TargetInfo,
      principals: z.array(z.string()).max(256),
      validUntilSeconds: EpochSeconds,
      /** The account's log as management shows it to this device. Absent: it has none, or is older. */
      log: LogSeen.optional(),
    }),
    z.object({
      outcome: z.literal("denied"),
      reason: ReasonCode,
      sentence: z.string(),
      hint: z.string().optional(),
      receipt: Id,
      target: TargetInfo.optional(),
    }),
  ]),
);
export type CertificateResponse = z.infer<typeof CertificateResponse>;

/**
 * POST /client/v1/logout: ends this login; signed by the login key over signedBytes("logout", …,
 * {challenge, loginKey, timeSeconds}).
 */
export const LogoutRequest = lazySchema(() =>
  z.strictObject({
    challenge: z.string().max(64),
    timeSeconds: EpochSeconds,
    loginKey: Ed25519PublicKey,
    loginSignature: Ed25519Signature,
  }),
);
export type LogoutRequest = z.infer<typeof LogoutRequest>;

/** Body of every refusal outside the admin API: a code for machines, a line for people. */
export const ApiFailure = lazySchema(() =>
  z.object({
    /** HTTP status, repeated as NetBird does. */
    code: z.int(),
    message: z.string(),
    error: z.string(),
    hint: z.string().optional(),
    /** Why a proven person was refused (ERR_ACCESS_DENIED). */
    reason: ReasonCode.optional(),
  }),
);
export type ApiFailure = z.infer<typeof ApiFailure>;
