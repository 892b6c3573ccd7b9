/**
 * The answer to "may this user be that OS user on this machine, doing this": shapes only.
 *
 * Reasons of denials are in `reason.ts`.
 *
 * @module
 */
import { z } from "zod";
import { SshCapabilities } from "./policy.ts";
import { ReasonCode } from "./reason.ts";
import { RULE_OUTCOMES } from "./rule-outcome.ts";
import { EpochSeconds, LocalUser, PeerId, RuleId, UserId } from "./units.ts";

/** Longest command. Linux limits one argument, and so `sh -c`, to MAX_ARG_STRLEN including the NUL. */
export const COMMAND_BYTES_MAX = 131_071;

/** The requested action; `connect` is the sign-in itself. */
export const Action = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("connect") }),
  z.strictObject({ kind: z.literal("shell") }),
  z.strictObject({ kind: z.literal("exec"), command: z.string().max(COMMAND_BYTES_MAX) }),
  z.strictObject({ kind: z.literal("pty") }),
  z.strictObject({ kind: z.literal("sftp") }),
  z.strictObject({ kind: z.literal("agent_forwarding") }),
  z.strictObject({ kind: z.literal("x11_forwarding") }),
  /** A destination named by the client: the host as sent, never resolved here. */
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

/** The outcome of one rule. The list and its order are in `rule-outcome.ts`. */
export const RuleOutcome = z.enum(RULE_OUTCOMES);
export type RuleOutcome = z.infer<typeof RuleOutcome>;

/** The outcome of every rule considered, in rule id order. */
export const Trace = z.array(z.strictObject({ ruleId: RuleId, outcome: RuleOutcome }));
export type Trace = z.infer<typeof Trace>;

/** One rule's allow, with what it allows and until when. */
export const Grant = z.strictObject({
  ruleId: RuleId,
  capabilities: SshCapabilities,
  /** The first second at which this grant may no longer hold and must be decided again. Null: none known. */
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

/** A decision as recorded: the pure `Decision` of `policy/decide/decide.ts` with its trace unrolled. */
export const DecisionRecord = z.strictObject({
  outcome: z.enum(["allow", "deny"]),
  reason: ReasonCode.nullable(),
  ruleId: RuleId.nullable(),
  trace: Trace,
});
export type DecisionRecord = z.infer<typeof DecisionRecord>;
