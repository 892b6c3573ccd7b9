/**
 * The answer to "may this user be that OS user on this machine, doing this": shapes only.
 *
 * Reason codes are closed and are API: they are stored in audit, explained in docs and worded once,
 * in `policy/sentences.ts`.
 *
 * @module
 */
import { z } from "zod";
import { SshCapabilities } from "./policy.ts";
import { EpochSeconds, GroupId, LocalUser, PeerId, RuleId, UserId } from "./units.ts";

/** Why somebody was refused. Closed; add, never rename. */
export const REASON_CODES = [
  // Who asks.
  "user_unknown",
  "user_blocked",
  "user_pending",
  "device_unknown",
  "device_blocked",
  "device_pending",
  "unmanaged_device",
  // Whether the machine takes SSH at all.
  "ssh_disabled",
  "map_stale",
  "wrong_target",
  "plain_ssh_disabled",
  // What the rules say.
  "peer_not_authorized",
  "device_not_authorized",
  "local_user_not_authorized",
  "local_user_unmapped",
  "outside_schedule",
  "posture_failed",
  "denied_by_rule",
  "reauth_required",
  "reauth_unprovable",
  "reason_required",
  "approval_required",
  "recording_unavailable",
  // What a session asks for.
  "shell_not_allowed",
  "command_not_allowed",
  "command_too_long",
  "pty_not_allowed",
  "sftp_disabled",
  "sftp_read_only",
  "local_forward_disabled",
  "remote_forward_disabled",
  "forward_destination_not_allowed",
  "agent_forwarding_disabled",
  "x11_not_available",
  "subsystem_unknown",
  // What the machine itself says.
  "root_disabled",
  "root_not_named",
  "rootless_other_user",
  "account_unknown",
  "account_locked",
  "account_expired",
  "account_nologin",
  "account_refused",
  "machine_identity_only",
  "binding_not_accepted",
  "management_reachable",
  // Proof.
  "certificate_invalid",
  "certificate_expired",
  "certificate_replayed",
  "clock_skew",
  "token_invalid",
  "token_too_old",
  "login_revoked",
  // Evidence.
  "audit_unavailable",
  "limit_reached",
  // Why a connection that was let in ended.
  "session_time_over",
  "session_idle",
  "session_killed",
  "network_not_allowed",
] as const;
export const ReasonCode = z.enum(REASON_CODES);
export type ReasonCode = z.infer<typeof ReasonCode>;

/** Longest command: Linux takes no longer argument (MAX_ARG_STRLEN with its NUL), and so no longer `sh -c`. */
export const COMMAND_BYTES_MAX = 131_071;

/** What is being asked for; `connect` is the sign-in itself. */
export const Action = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("connect") }),
  z.strictObject({ kind: z.literal("shell") }),
  z.strictObject({ kind: z.literal("exec"), command: z.string().max(COMMAND_BYTES_MAX) }),
  z.strictObject({ kind: z.literal("pty") }),
  z.strictObject({ kind: z.literal("sftp") }),
  z.strictObject({ kind: z.literal("agent_forwarding") }),
  z.strictObject({ kind: z.literal("x11_forwarding") }),
  /** A destination the client names: host as it was sent, never resolved here. */
  z.strictObject({
    kind: z.literal("local_forward"),
    host: z.string().max(1024),
    port: z.int().min(0).max(65_535),
  }),
  z.strictObject({
    kind: z.literal("remote_forward"),
    host: z.string().max(1024),
    port: z.int().min(0).max(65_535),
  }),
  z.strictObject({ kind: z.literal("local_socket"), path: z.string().max(4096) }),
  z.strictObject({ kind: z.literal("remote_socket"), path: z.string().max(4096) }),
]);
export type Action = z.infer<typeof Action>;

/** First condition of a rule that did not hold, in the order in which they are tested. */
export const RULE_OUTCOMES = [
  "granted",
  "disabled",
  "other_protocol",
  "not_destination",
  "user_not_in_groups",
  "unmanaged_device",
  "device_not_in_sources",
  "device_not_in_source_devices",
  "local_user_not_listed",
  "posture_failed",
  "outside_validity",
  "outside_schedule",
  "reauth_required",
  "reauth_unprovable",
  "reason_required",
  "approval_required",
  "recording_unavailable",
  "shell_not_allowed",
  "command_not_allowed",
  "pty_not_allowed",
  "sftp_disabled",
  "sftp_read_only",
  "local_forward_disabled",
  "remote_forward_disabled",
  "forward_destination_not_allowed",
  "agent_forwarding_disabled",
  "x11_not_available",
  /** The rule is a `drop` that does not concern this request. */
  "drop_not_matching",
  /** The rule is a `drop` and it matched: it denies. */
  "dropped",
] as const;
export const RuleOutcome = z.enum(RULE_OUTCOMES);
export type RuleOutcome = z.infer<typeof RuleOutcome>;

/** Every rule considered and what became of it, in rule id order. */
export const Trace = z.array(z.strictObject({ ruleId: RuleId, outcome: RuleOutcome }));
export type Trace = z.infer<typeof Trace>;

/** One rule's allow, with what it allows and until when. */
export const Grant = z.strictObject({
  ruleId: RuleId,
  capabilities: SshCapabilities,
  /** The first second at which this grant may no longer hold and must be asked for again. Null: none known. */
  validUntilSeconds: EpochSeconds.nullable(),
});
export type Grant = z.infer<typeof Grant>;

/** Who asked for what; stored beside the decision in audit. */
export const AccessRequestRecord = z.strictObject({
  userId: UserId.nullable(),
  devicePeerId: PeerId.nullable(),
  targetPeerId: PeerId,
  localUser: LocalUser,
  action: Action,
  atSeconds: EpochSeconds,
});
export type AccessRequestRecord = z.infer<typeof AccessRequestRecord>;

/** A decision as it is written down: the pure `Decision` of `policy/decide.ts` with its trace unrolled. */
export const DecisionRecord = z.strictObject({
  outcome: z.enum(["allow", "deny"]),
  reason: ReasonCode.nullable(),
  ruleId: RuleId.nullable(),
  trace: Trace,
});
export type DecisionRecord = z.infer<typeof DecisionRecord>;

/** Group ids used as a set in several shapes. */
export const GroupIds = z.array(GroupId).max(1024);
