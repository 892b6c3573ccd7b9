/**
 * The control WebSocket between agent and management: `GET /agent/v1/sync`, JSON text frames.
 *
 * Management speaks first (`welcome` with a challenge) and the agent proves its device key (`identify`).
 * Management then sends a map, or what the agent's map lacks. After that, deltas flow one way;
 * acknowledgements, audit events and status the other. Either side pings, and three heartbeats of silence end
 * the link.
 *
 * @module
 */
import { z } from "zod";
import { AgentEvent } from "./audit-event.ts";
import { PeerFacts } from "./client-api.ts";
import { AUDIT_BATCH_MAX, Proof, ServedLog, SignedBatch } from "./log-entry.ts";
import { MapDifferences, MapOutline, MapSections } from "./map-outline.ts";
import { DirectAddresses, NetworkMap, NetworkMapDelta } from "./network-map.ts";
import { ReasonCode } from "./reason.ts";
import {
  AccountId,
  Ed25519Signature,
  EpochSeconds,
  HttpUrl,
  Id,
  LocalUser,
  PeerId,
  Sha256,
  SshPublicKeyBlob,
  UserId,
} from "./units.ts";
import { UpgradeOrder, UpgradeReport } from "./upgrade-report.ts";

/** A log entry as it was hashed, with the proof that the accompanying checkpoint includes it. */
export const ProvenLeaf = z.object({ seq: z.int().min(1), leaf: z.string().max(16_384), proof: Proof });
export type ProvenLeaf = z.infer<typeof ProvenLeaf>;

/** How often either end of a control link pings, in milliseconds. */
export const HEARTBEAT_MS = 5_000;
/** Silence after which a control link counts as dead, in milliseconds: three heartbeats. */
export const LINK_TIMEOUT_MS = 15_000;
/** Largest message from management, in bytes: a whole map. */
export const MANAGEMENT_FRAME_BYTES_MAX = 256 * 1024 * 1024;

/**
 * What the machine's own flags allow, as its agent reports them. Management shows them and uses them to
 * refuse early; the machine decides.
 */
export const AgentFlags = z.strictObject({
  sshServer: z.boolean(),
  sshRoot: z.boolean(),
  sshSftp: z.boolean(),
  sshLocalForwarding: z.boolean(),
  sshRemoteForwarding: z.boolean(),
  /** False with --disable-ssh-auth. */
  sshAuth: z.boolean(),
  offlineLogins: z.boolean(),
  requireIdpBinding: z.boolean(),
  /** Runs as root, so it can serve any local user. */
  privileged: z.boolean(),
  /** The one local user a rootless agent serves. */
  ownUser: z.string().max(64),
  /** Keeps checkpoints of the log and accepts one in a hello. Absent: an older agent. */
  log: z.literal(true).optional(),
  /** Accepts a hello with `via`. Sent only if `welcome` has `via`. Absent: an older agent. */
  via: z.literal(true).optional(),
  /** Set by --allow-managed-upgrades. Sent only if `welcome` has `upgrades`. Absent: off. */
  managedUpgrades: z.literal(true).optional(),
});
export type AgentFlags = z.infer<typeof AgentFlags>;

/** A session as `status` and management's list of live sessions show it. */
export const LiveSession = z.strictObject({
  connectionId: Id,
  localUser: LocalUser,
  userId: UserId.nullable(),
  /** Name or e-mail of the person; the peer's name for machine identity. */
  user: z.string().max(254),
  peer: z.string().max(253),
  command: z.string().max(1024),
  forwards: z.array(z.string().max(512)).max(256),
  startedAtSeconds: EpochSeconds,
  /** Its path. Absent: an agent that does not report it. */
  path: z.enum(["direct", "relay", "plain", "stdio"]).optional(),
});
export type LiveSession = z.infer<typeof LiveSession>;

/** Longest answer to the prompt for a one-time code, in characters. */
export const APPROVAL_CODE_LENGTH_MAX = 64;

/** What the approval of a sign-in without a certificate is bound to, besides the machine that asks. */
const approvalBinding = {
  /** SHA-256 of the SSH session id (RFC 4253 section 7.2). */
  sessionIdHash: Sha256,
  localUser: LocalUser,
};

/** The person who approved a sign-in, as management describes them to the machine that asked. */
export const ApprovedIdentity = z.object({
  userId: UserId,
  issuer: z.string().max(2048),
  subject: z.string().min(1).max(512),
  /** When the person authenticated (`auth_time`). Null when the provider does not say. */
  authTimeSeconds: EpochSeconds.nullable(),
  /** The login's id, as in a map's `revokedLogins`. */
  loginId: Sha256,
  /** First map version that contains the person. */
  mapVersion: z.int().min(0),
  /** Why they may not sign in at all. Null: no objection. */
  refusal: ReasonCode.nullable(),
});
export type ApprovedIdentity = z.infer<typeof ApprovedIdentity>;

/** The outcome of a one-time code. `waiting`: not approved on the page yet; costs no attempt. */
export const ApprovalAnswer = z.discriminatedUnion("status", [
  z.object({ status: z.literal("waiting") }),
  z.object({ status: z.literal("wrong_code"), triesLeft: z.int().min(0) }),
  /** With `message`, the sign-in failed or the provider refused it; the message is what the page showed. */
  z.object({ status: z.literal("denied"), message: z.string().max(500).optional() }),
  /** Expired, used, or unknown for this connection. */
  z.object({ status: z.literal("over") }),
  z.object({ status: z.literal("approved"), identity: ApprovedIdentity }),
]);
export type ApprovalAnswer = z.infer<typeof ApprovalAnswer>;

/** A message from an agent to management. Strict: an unknown field or type ends the link. */
export const AgentMessage = z.discriminatedUnion("type", [
  /** Signature by the device key over signedBytes("sync", …, {challenge, peerId, bootId}). */
  z.strictObject({
    type: z.literal("identify"),
    protocolVersion: z.int().min(1),
    peerId: PeerId,
    /** New at each start of an agent. Two at once mean that the state folder was copied. */
    bootId: Id,
    signature: Ed25519Signature,
    /** The map it still has, for resuming. Zeros: none. */
    epoch: z.int().min(0),
    version: z.int().min(0),
    /** `digestOfMap` of that map: after a restored backup the same version may stand for another map. */
    digest: Sha256.optional(),
    /** Section digests of the same map. Absent: management sends a whole map instead of a delta. */
    sections: MapSections.optional(),
    facts: PeerFacts,
    flags: AgentFlags,
    hostKeys: z.array(SshPublicKeyBlob).min(1).max(8),
    direct: DirectAddresses,
    /** First audit sequence number not yet acknowledged, so that management can detect a gap. */
    nextAuditSeq: z.int().min(1),
  }),
  z.strictObject({ type: z.literal("ack"), version: z.int().min(1) }),
  z.strictObject({ type: z.literal("ping"), sentMs: z.int() }),
  z.strictObject({
    type: z.literal("audit"),
    events: z.array(AgentEvent).min(1).max(AUDIT_BATCH_MAX),
    /** Only to a management whose `welcome` has `log`. Absent: an older agent, which signs no batches. */
    batch: SignedBatch.optional(),
  }),
  /** What the agent holds of the log. Sent once after `identify`, and after each `log`. */
  z.strictObject({
    type: z.literal("log_at"),
    /** Size of the largest checkpoint it has seen. 0: none. */
    size: z.int().min(0),
    /** The machine's events up to and including this number are proven to be in the log. */
    provenThrough: z.int().min(0),
    /** That checkpoint, if management's own is smaller. */
    note: z.string().max(4096).optional(),
  }),
  /** Asks for a consistency proof between two sizes of the log. */
  z.strictObject({ type: z.literal("log_ask"), from: z.int().min(0), to: z.int().min(0) }),
  z.strictObject({ type: z.literal("sessions"), sessions: z.array(LiveSession).max(10_000) }),
  z.strictObject({ type: z.literal("flags"), flags: AgentFlags, direct: DirectAddresses }),
  /** Asks for the whole map: a delta did not fit or the stored one was damaged. */
  z.strictObject({ type: z.literal("need_map") }),
  /** Answers `outline`. */
  z.strictObject({ type: z.literal("differences"), differences: MapDifferences }),
  /** A client without a certificate wants to sign in: asks for a page on which a person may approve it. */
  z.strictObject({
    type: z.literal("approval_open"),
    requestId: Id,
    connectionId: Id,
    sourceAddress: z.string().max(64),
    ...approvalBinding,
  }),
  z.strictObject({
    type: z.literal("approval_claim"),
    requestId: Id,
    approvalId: Id,
    code: z.string().min(1).max(APPROVAL_CODE_LENGTH_MAX),
    ...approvalBinding,
  }),
  /** The connection is gone; the approval will not be claimed. */
  z.strictObject({ type: z.literal("approval_close"), approvalId: Id }),
  /** The state of an `upgrade`. Sent when it changes, and on each new link. */
  UpgradeReport.extend({ type: z.literal("upgrade_state") }),
  z.strictObject({ type: z.literal("leaving") }),
]);
export type AgentMessage = z.infer<typeof AgentMessage>;

/** Longest time that management may ask an agent to stay away, in milliseconds. */
export const RETRY_MS_MAX = 60_000;
const RetryMs = z.int().min(0).max(RETRY_MS_MAX);

/** A message from management to an agent. Unknown fields are ignored here, except inside maps. */
export const ManagementMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    protocolVersion: z.int().min(1),
    /** The newest version of audit events it accepts. Absent: 1. */
    eventVersion: z.int().min(1).optional(),
    accountId: AccountId,
    origin: HttpUrl,
    challenge: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
    nowMs: z.int(),
    /** The account's log: its name and the key that signs it. Absent: a management that keeps none. */
    log: ServedLog.optional(),
    /** Understands `via` in an agent's flags. Absent: an older management. */
    via: z.literal(true).optional(),
    /** Orders upgrades, and understands `managedUpgrades` in an agent's flags. Absent: an older one. */
    upgrades: z.literal(true).optional(),
  }),
  z.object({ type: z.literal("map"), map: NetworkMap }),
  z.object({
    type: z.literal("delta"),
    delta: NetworkMapDelta,
    /**
     * `digestOfMap` of the result. On a mismatch the delta takes no effect and the agent asks for the whole
     * map.
     */
    digest: Sha256,
  }),
  /** Asks a returning agent what it has; it answers `differences` or `need_map`. */
  z.object({ type: z.literal("outline"), outline: MapOutline }),
  /** The agent's map is current. */
  z.object({ type: z.literal("current"), version: z.int().min(1) }),
  z.object({
    type: z.literal("pong"),
    sentMs: z.int(),
    nowMs: z.int(),
    /** Period over which this management's agents spread their return if the link ends. Absent: 0. */
    spreadMs: RetryMs.optional(),
    /** The machine's share of audit events is used up; none are accepted for now. Absent: not so. */
    auditHeld: z.boolean().optional(),
  }),
  z.object({ type: z.literal("audit_ack"), throughSeq: z.int().min(0) }),
  /** The log has the machine's events only before this number. Asks for the later ones it still has. */
  z.object({ type: z.literal("audit_resend"), fromSeq: z.int().min(1) }),
  /** A checkpoint, with its proof for an agent that holds the previous one. */
  z.object({
    type: z.literal("log"),
    note: z.string().max(4096),
    /** Consistency proof from the agent's size. Empty if the sizes are equal. */
    consistency: Proof,
    /** This machine's batches in order, each with its leaf as hashed and its proof. */
    batches: z.array(ProvenLeaf).max(256),
    /** The log and its keys, if these have changed. Absent: as in `welcome`, or an older management. */
    log: ServedLog.optional(),
    /** The newest leaf that put a key of this machine into force. Absent: sent before, or an older one. */
    ownKey: ProvenLeaf.optional(),
    /** An older copy of the log was restored and an owner has acknowledged the loss. Absent: neither. */
    restored: z.object({ lost: ProvenLeaf, acknowledged: ProvenLeaf }).optional(),
  }),
  /** Answers `log_ask`. Null: no such proof. */
  z.object({
    type: z.literal("log_proof"),
    from: z.int().min(0),
    to: z.int().min(0),
    proof: Proof.nullable(),
  }),
  z.object({ type: z.literal("kill"), connectionId: Id, reason: z.string().max(256) }),
  /** Sent only to an agent whose flags have `managedUpgrades`, and repeated until answered. */
  UpgradeOrder.extend({ type: z.literal("upgrade") }),
  z.object({
    type: z.literal("approval_opened"),
    requestId: Id,
    approvalId: Id,
    /** Complete, for a browser. */
    url: HttpUrl,
    expiresAtSeconds: EpochSeconds,
  }),
  z.object({ type: z.literal("approval_refused"), requestId: Id, why: z.enum(["full", "unavailable"]) }),
  z.object({ type: z.literal("approval_answer"), requestId: Id, answer: ApprovalAnswer }),
  /** The link ends; `retry` false means not to come back without a person (peer deleted). */
  z.object({
    type: z.literal("bye"),
    code: z.string().max(64),
    message: z.string().max(512),
    retry: z.boolean(),
    /** Earliest time to reconnect. Absent: the agent chooses. */
    retryAfterMs: RetryMs.optional(),
  }),
]);
export type ManagementMessage = z.infer<typeof ManagementMessage>;
