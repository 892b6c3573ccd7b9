/**
 * Evidence: what happened, as typed events. Never a token, a key, or the bytes of a session.
 *
 * Each agent numbers its own events without gaps; management numbers the account's. Decisions carry their
 * trace. Read `AuditEvent` first.
 *
 * @module
 */
import { z } from "zod";
import { AccessReason } from "./access-reason.ts";
import { Binding } from "./certificate.ts";
import { AccessRequestRecord, COMMAND_BYTES_MAX, DecisionRecord } from "./decision.ts";
import { ReasonCode } from "./reason.ts";
import { recordingEvents } from "./recording-event.ts";
import { SFTP_OPERATIONS_MAX, SftpOperationRecord } from "./sftp-operation.ts";
import { Id, LocalUser, PeerId, UserId } from "./units.ts";

const connectionId = z.string().regex(/^[a-z0-9]{20}$/);
const shortText = z.string().max(512);

/** The connection's person. Null: machine identity. Absent: an agent that did not report it. */
const person = UserId.nullable().optional();

/** The person's reason for the access. Absent: none. */
const accessReason = AccessReason.optional();

/** The login key signed its own certificate while management was away. Absent: management issued it. */
const offline = z.literal(true).optional();

/**
 * Numbers a connection's forwards from 0: listeners, and streams with or without a listener. Absent: an agent
 * before event version 2, which wrote no `forward.close` either.
 */
const forwardId = z.int().min(0);

const forward = {
  connectionId,
  userId: person,
  kind: z.enum(["local", "remote", "local_socket", "remote_socket", "agent"]),
  destination: z.string().max(4096),
};

/** Why an allowed forward failed, from the operating system's error. */
export const ForwardFailure = z.enum([
  "unknown_host",
  "refused",
  "timeout",
  "unreachable",
  "not_found",
  "permission",
  "in_use",
  "address_not_here",
  "failed",
]);
export type ForwardFailure = z.infer<typeof ForwardFailure>;

/** What a machine saw. `connectionId` links the events of one SSH transport. */
export const AgentEventBody = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("decision"),
    connectionId: connectionId.nullable(),
    request: AccessRequestRecord,
    decision: DecisionRecord,
    /** Shown to the person with a denial, so that an administrator can find the event. */
    receipt: Id.nullable(),
    /** How the person was proven; null for machine identity without a person. */
    binding: Binding.nullable(),
    sourceAddress: shortText,
    offline,
  }),
  z.strictObject({
    type: z.literal("connection.open"),
    connectionId,
    userId: UserId.nullable(),
    devicePeerId: PeerId.nullable(),
    localUser: LocalUser,
    path: z.enum(["direct", "relay", "plain", "stdio"]),
    sourceAddress: shortText,
    clientVersion: shortText,
    certificateSerial: z.string().max(20).nullable(),
    ruleId: Id.nullable(),
    accessReason,
    offline,
  }),
  z.strictObject({
    type: z.literal("connection.close"),
    connectionId,
    userId: person,
    /** Null for an ordinary end. */
    reason: ReasonCode.nullable(),
    bytesIn: z.int().min(0),
    bytesOut: z.int().min(0),
    durationMs: z.int().min(0),
  }),
  z.strictObject({
    type: z.literal("session.start"),
    connectionId,
    userId: person,
    sessionId: z.int().min(0),
    kind: z.enum(["shell", "exec", "sftp"]),
    /** The command as sent, for exec. */
    command: z.string().max(COMMAND_BYTES_MAX).nullable(),
    argv: z.array(z.string().max(COMMAND_BYTES_MAX)).max(1024).nullable(),
    pty: z.boolean(),
    accessReason,
  }),
  z.strictObject({
    type: z.literal("session.end"),
    connectionId,
    userId: person,
    sessionId: z.int().min(0),
    exitStatus: z.int().nullable(),
    signal: z.string().max(32).nullable(),
    durationMs: z.int().min(0),
  }),
  z.strictObject({
    type: z.literal("sftp.operations"),
    connectionId,
    userId: person,
    sessionId: z.int().min(0),
    /** In order. One event holds several, since there may be thousands a second. */
    operations: z.array(SftpOperationRecord).min(1).max(SFTP_OPERATIONS_MAX),
  }),
  ...recordingEvents,
  z.strictObject({ type: z.literal("forward.open"), ...forward, forwardId: forwardId.optional() }),
  z.strictObject({
    type: z.literal("forward.close"),
    ...forward,
    forwardId,
    /** Null for an ordinary end. */
    reason: z.union([ReasonCode, ForwardFailure]).nullable(),
    /** Bytes from the client and to it. 0 for a listener, whose streams have their own events. */
    bytesIn: z.int().min(0),
    bytesOut: z.int().min(0),
    durationMs: z.int().min(0),
  }),
  z.strictObject({
    type: z.literal("auth.failed"),
    /** Unauthenticated sources are only counted: how many in this window, and from where. */
    sourceAddress: shortText,
    devicePeerId: PeerId.nullable(),
    reason: ReasonCode,
    count: z.int().min(1),
  }),
  z.strictObject({
    type: z.literal("agent.state"),
    what: z.enum(["started", "stopped", "state_damaged", "flags_changed", "spool_dropped", "log_differs"]),
    detail: shortText,
  }),
]);
export type AgentEventBody = z.infer<typeof AgentEventBody>;

/** One event of a machine. `seq` starts at 1 and has no gaps over the life of the state folder. */
export const AgentEvent = z.strictObject({
  seq: z.int().min(1),
  /** Before the year 10000, so that every event's time can be written as a date. */
  atMs: z.int().min(0).max(253_402_300_799_999),
  body: AgentEventBody,
});
export type AgentEvent = z.infer<typeof AgentEvent>;

/** Activity codes in `/api/events/audit`: NetBird's where it has one, ours otherwise. */
export const ACTIVITY_CODES = [
  "user.join",
  "user.invite",
  "user.invite.link.accept",
  "user.create",
  "user.delete",
  "user.block",
  "user.unblock",
  "user.approve",
  "user.password.change",
  "user.password.reset",
  "user.password.reset.link",
  "user.role.update",
  "user.group.add",
  "user.group.delete",
  "service.user.create",
  "service.user.delete",
  "personal.access.token.create",
  "personal.access.token.delete",
  "setupkey.add",
  "setupkey.update",
  "setupkey.revoke",
  "setupkey.delete",
  "group.add",
  "group.update",
  "group.delete",
  "peer.user.add",
  "peer.setupkey.add",
  "peer.update",
  "peer.rename",
  "peer.delete",
  "peer.approve",
  "peer.suspend",
  "peer.vouch",
  "peer.vouch.end",
  "peer.block",
  "peer.unblock",
  "peer.ssh.enable",
  "peer.ssh.disable",
  "policy.add",
  "policy.update",
  "policy.delete",
  "policy.apply",
  "policy.tests.update",
  "policy.force",
  "policy.source.update",
  "policy.source.override",
  "access.request",
  "access.approve",
  "access.deny",
  "access.cancel",
  "access.expire",
  "access.end",
  "posture.check.create",
  "posture.check.update",
  "posture.check.delete",
  "account.create",
  "account.settings.update",
  "account.delete",
  "management.epoch",
  "dashboard.login",
  "dashboard.logout",
  "login",
  "login.failed",
  "login.revoked",
  "login.hosted.approve",
  "login.hosted.deny",
  "token.claim",
  "token.claim.refused",
  "certificate.issue",
  "certificate.refuse",
  "peer.lookup.refuse",
  "ssh.decision.allow",
  "ssh.decision.deny",
  "ssh.connection.open",
  "ssh.connection.close",
  "ssh.session.start",
  "ssh.session.end",
  "ssh.session.kill",
  "ssh.sftp.operations",
  "ssh.recording.start",
  "ssh.recording.chunks",
  "ssh.recording.unechoed",
  "ssh.recording.end",
  "ssh.forward.open",
  "ssh.forward.close",
  "ssh.auth.failed",
  "agent.state",
  "agent.gap",
  "agent.batch",
  "peer.key",
  "log.prune",
  "log.key",
  "management.move",
  "log.lost",
  "log.lost.acknowledge",
  "audit.stream.create",
  "audit.stream.update",
  "audit.stream.delete",
  "audit.stream.test",
  "notification.create",
  "notification.update",
  "notification.delete",
  "notification.test",
  "recording.read",
  "recording.delete",
  "recording.prune",
  "rollout.create",
  "rollout.stage",
  "rollout.halt",
  "rollout.resume",
  "rollout.cancel",
  "rollout.finish",
  "peer.upgrade",
] as const;
/** One of `ACTIVITY_CODES`. */
export const ActivityCode = z.enum(ACTIVITY_CODES);
export type ActivityCode = z.infer<typeof ActivityCode>;

/** An event as management returns it: NetBird's `Event` plus `data`, the typed body. */
export const AuditEvent = z.object({
  id: z.string(),
  timestamp: z.iso.datetime(),
  activity: z.string(),
  activity_code: ActivityCode,
  initiator_id: z.string(),
  initiator_name: z.string(),
  initiator_email: z.string(),
  target_id: z.string(),
  meta: z.record(z.string(), z.string()),
  /** The typed body, with its trace if there is one. */
  data: z.record(z.string(), z.unknown()).optional(),
});
export type AuditEvent = z.infer<typeof AuditEvent>;

/** `AuditEvent` for a reader that may be older than management and know fewer activities. */
export const ReadAuditEvent = AuditEvent.extend({ activity_code: z.string() });
export type ReadAuditEvent = z.infer<typeof ReadAuditEvent>;
