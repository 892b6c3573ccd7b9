/**
 * Policy as code over the REST API: policy files, their differences, applying them, and access tables.
 *
 * The command line and the policy editor are clients of these. Read `PolicyDiff`.
 *
 * @module
 */
import { z } from "zod";
import { AccessReason } from "./access-reason.ts";
import { Action, RuleOutcome } from "./decision.ts";
import { FileAction, PolicyFile, PolicyFileRule, PolicyFileTest } from "./policy-file.ts";
import { POLICY_TEXT_BYTES_MAX } from "./policy-text.ts";
import { ReasonCode } from "./reason.ts";
import { Id, PeerId, RuleId, Sha256, UserId } from "./units.ts";

/** Most days of audited decisions that a difference considers. */
export const DIFF_DAYS_MAX = 90;
/** The days without a number. */
export const DIFF_DAYS_DEFAULT = 7;
/** Most rows of one kind in a difference, and most in a page of a table. */
export const ACCESS_ROWS_MAX = 1_000;

/** An answer whose shape is described elsewhere: a JSON Schema. */
export const AnyObject = z.record(z.string(), z.unknown());

/** A thing's id and display name. */
export const Named = z.object({ id: z.string(), name: z.string() });
export type Named = z.infer<typeof Named>;

/** A file, as text with its comments or as its value: one of the two. */
const given = {
  text: z.string().max(POLICY_TEXT_BYTES_MAX, "is larger than 1 MB (1048576 bytes)").optional(),
  file: z.unknown().optional(),
};

/** Body of POST /api/policy/test. */
export const PolicyTestRequest = z.strictObject(given);
export type PolicyTestRequest = z.infer<typeof PolicyTestRequest>;

/** Body of POST /api/policy/diff. */
export const PolicyDiffRequest = z.strictObject({
  ...given,
  /** Days of audited decisions to look back. Default 7; 0: none. */
  days: z.int().min(0).max(DIFF_DAYS_MAX).optional(),
});
export type PolicyDiffRequest = z.infer<typeof PolicyDiffRequest>;

/** Body of POST /api/policy/apply. */
export const PolicyApplyRequest = z.strictObject({
  ...given,
  /** The account's version that the plan is based on. */
  version: z.int().min(0),
  /** `digest` of the plan that was shown. */
  digest: Sha256,
  /** Saves even if a test fails or nobody would have access. Audited. */
  force: z.boolean().optional(),
  /** Why, for those who read the history later. Absent: none. */
  reason: AccessReason.optional(),
  /** Changes policies that are kept elsewhere (`policy_source`). Takes a reason. Audited. */
  override: z.boolean().optional(),
});
export type PolicyApplyRequest = z.infer<typeof PolicyApplyRequest>;

/** Where the policies are kept, when that is not here. */
export const PolicySource = z.object({
  /** As the account's settings have it: a name or an address. */
  name: z.string(),
  /** Since when the policies here may differ from those there. Null: they do not. */
  differs_since: z.iso.datetime().nullable(),
});
export type PolicySource = z.infer<typeof PolicySource>;

/** GET /api/policy/file. */
export const PolicyFileAnswer = z.object({
  version: z.int(),
  /** YAML, with the comments of the last applied file where they still apply. */
  text: z.string(),
  file: PolicyFile,
  /** Null: people change them here. */
  source: PolicySource.nullable(),
});
export type PolicyFileAnswer = z.infer<typeof PolicyFileAnswer>;

/** The result of one test. */
export const PolicyTestOutcome = z.object({
  /** Number of the test, from 1. */
  number: z.int(),
  test: PolicyFileTest,
  passed: z.boolean(),
  /** Null: something the test names no longer exists. */
  outcome: z.enum(["allow", "deny"]).nullable(),
  reason: ReasonCode.nullable(),
  /** The reason as a person reads it. Null where there is none. */
  sentence: z.string().nullable(),
});
export type PolicyTestOutcome = z.infer<typeof PolicyTestOutcome>;

/** POST /api/policy/test, and tests beside other answers. */
export const PolicyTestReport = z.object({
  passed: z.int(),
  failed: z.int(),
  results: z.array(PolicyTestOutcome),
});
export type PolicyTestReport = z.infer<typeof PolicyTestReport>;

/** A piece of an account that is added, changed or removed. */
export const PolicyChangeEntry = z.object({
  what: z.enum(["policy", "rule", "group", "tests"]),
  change: z.enum(["added", "changed", "removed"]),
  name: z.string(),
  rule: z.string().optional(),
  policyId: z.string().optional(),
  ruleId: z.string().optional(),
  fields: z.array(z.string()).optional(),
});
export type PolicyChangeEntry = z.infer<typeof PolicyChangeEntry>;

/** One row of access. `local_user` `*`: every local user that no row beside it names. */
export const AccessRow = z.object({
  user: Named,
  machine: Named,
  local_user: z.string(),
  /** Words such as `connect`, `shell`, `sftp_write`, `without_approval`; `docs/policy-as-code.md` has all. */
  capabilities: z.array(z.string()),
});
export type AccessRow = z.infer<typeof AccessRow>;

/** Rows with their number over all; the first ones where there are more than fit. */
export const AccessRows = z.object({ total: z.int(), rows: z.array(AccessRow) });
export type AccessRows = z.infer<typeof AccessRows>;

/** A live connection that the change would end. */
export const EndingConnection = z.object({
  connection_id: z.string(),
  user: Named,
  machine: Named,
  local_user: z.string(),
  started_at: z.iso.datetime(),
  /** Why it would end. */
  reason: ReasonCode,
});
export type EndingConnection = z.infer<typeof EndingConnection>;

/** An audited decision that would be different now; equal ones are counted together. */
export const ChangedDecision = z.object({
  user: Named,
  device: Named.nullable(),
  machine: Named,
  local_user: z.string(),
  action: Action,
  /** Outcome under the current rules, and under the file's. */
  before: z.enum(["allow", "deny"]),
  after: z.enum(["allow", "deny"]),
  /** Of the denial. */
  reason: ReasonCode.nullable(),
  count: z.int(),
  last_at: z.iso.datetime(),
});
export type ChangedDecision = z.infer<typeof ChangedDecision>;

/** POST /api/policy/diff: everything that a file would change. */
export const PolicyDiff = z.object({
  version: z.int(),
  /** Names this plan: account, version, and every change by ids. */
  digest: Sha256,
  /** Whether there is nothing to apply. */
  same: z.boolean(),
  /** Whether applying it, changes or none, ends `differs_since`: the caller applies for the source. */
  settles: z.boolean().optional(),
  changes: z.array(PolicyChangeEntry),
  gained: AccessRows,
  lost: AccessRows,
  ends: z.array(EndingConnection),
  decisions: z.object({
    days: z.int(),
    /** Decisions that were looked at, newest first. */
    considered: z.int(),
    /** Whether there were more than are looked at. */
    truncated: z.boolean(),
    differ: z.array(ChangedDecision),
  }),
  tests: PolicyTestReport,
  /** What a reader should know before applying it, one sentence each. */
  warnings: z.array(z.string()),
});
export type PolicyDiff = z.infer<typeof PolicyDiff>;

/** POST /api/policy/apply. */
export const PolicyApplied = z.object({
  version: z.int(),
  changes: z.array(PolicyChangeEntry),
  tests: PolicyTestReport,
  /** Whether it was saved over failing tests. */
  forced: z.boolean(),
});
export type PolicyApplied = z.infer<typeof PolicyApplied>;

const page = {
  limit: z
    .string()
    .regex(/^\d{1,4}$/, "is not a number")
    .transform(Number)
    .refine((count) => count >= 1 && count <= ACCESS_ROWS_MAX, `is not from 1 to ${ACCESS_ROWS_MAX}`)
    .optional(),
  cursor: z.string().max(256).optional(),
};
const name = z.string().min(1).max(1024);

/** Query of GET /api/policy/who. */
export const WhoQuery = z.object({ machine: name, local_user: z.string().max(64).optional(), ...page });
export type WhoQuery = z.infer<typeof WhoQuery>;

/** Query of GET /api/policy/what. `user` absent: the caller. */
export const WhatQuery = z.object({ user: name.optional(), ...page });
export type WhatQuery = z.infer<typeof WhatQuery>;

/** A page of a table. */
export const AccessPage = z.object({
  total: z.int(),
  rows: z.array(AccessRow),
  /** `cursor` of the next page. Null: this is the last one. */
  next_cursor: z.string().nullable(),
});
export type AccessPage = z.infer<typeof AccessPage>;

/** How much a rule is used. */
const RuleUsage = z.object({
  policy_id: z.string(),
  rule_id: RuleId,
  /** People and machines that it concerns now, by membership. Null: a rule about networks. */
  people: z.int().nullable(),
  machines: z.int().nullable(),
  /** When a machine last allowed by it, or denied by it as a drop. Null: not since `counted_since`. */
  last_decided_at: z.iso.datetime().nullable(),
  /** Decisions before it may be missing; at the earliest the last edit of its policy. */
  counted_since: z.iso.datetime(),
  /** Whether it has decided nothing for 90 days. Null: a rule about networks, whose use is unknown. */
  unused: z.boolean().nullable(),
});

/** GET /api/policy/usage: every rule. */
export const PolicyUsage = z.object({ rules: z.array(RuleUsage) });
export type PolicyUsage = z.infer<typeof PolicyUsage>;

/** Query of GET /api/policy/explain: a receipt, or a question. */
export const ExplainQuery = z.object({
  receipt: Id.optional(),
  user: name.optional(),
  device: name.optional(),
  machine: name.optional(),
  local_user: z.string().max(64).optional(),
  /** As files write it: a word, or JSON such as `{"forward":"db:5432"}`. */
  action: z.string().max(8192).optional(),
});
export type ExplainQuery = z.infer<typeof ExplainQuery>;

/** One rule of an explanation. */
export const ExplainedRule = z.object({
  rule_id: RuleId,
  policy_id: z.string(),
  policy: z.string(),
  rule: z.string(),
  outcome: RuleOutcome,
  /** The first condition that failed. */
  sentence: z.string(),
  /** What would have to change for this rule to grant it. */
  change: z.string().nullable(),
});
export type ExplainedRule = z.infer<typeof ExplainedRule>;

/** GET /api/policy/explain. */
export const Explanation = z.object({
  user: z.object({ id: UserId, name: z.string() }).nullable(),
  /** Null: a device that is not ours. */
  device: z.object({ id: PeerId, name: z.string() }).nullable(),
  machine: Named,
  local_user: z.string(),
  action: FileAction,
  /** Of a receipt: when it was decided. Null: now. */
  at: z.iso.datetime().nullable(),
  outcome: z.enum(["allow", "deny"]),
  reason: ReasonCode.nullable(),
  sentence: z.string().nullable(),
  hint: z.string().nullable(),
  /** What would have to change, of the rule that came nearest. Null: nothing, or no rule would help. */
  change: z.string().nullable(),
  /** The rule that allows it. */
  rule_id: RuleId.nullable(),
  /** Rule by rule, nearest first. Empty for those who may not read policies. */
  rules: z.array(ExplainedRule),
  /** The narrowest rule that would allow it, for a draft. Null: none would, or this is a receipt. */
  draft: PolicyFileRule.nullable(),
  /** Of a receipt: what would be decided now. */
  now: z.object({ outcome: z.enum(["allow", "deny"]), reason: ReasonCode.nullable() }).nullable(),
});
export type Explanation = z.infer<typeof Explanation>;

/** Hint of other routes when a save fails a policy test. */
export const FORCE_HINT = "mend the policy or the test, or save it with --force (force in the API)";
