/**
 * The policy file: an account's policies, groups' settings and tests by names, as people keep them in git.
 *
 * Ids appear only where a name is ambiguous (`id:…`). Everything is strict: a misspelt field is refused.
 * `policy-text.ts` parses the text; `policy/code/resolve.ts` turns names into ids. Read `PolicyFile` first.
 *
 * @module
 */

import { z } from "zod";
import { Require } from "./account-settings.ts";
import { COMMAND_BYTES_MAX } from "./decision.ts";
import { RuleName } from "./display-name.ts";
import {
  ForwardTarget,
  POLICY_RULES_MAX,
  PolicyRuleWrite,
  PortRange,
  Protocol,
  RULE_GROUPS_MAX,
  RULE_LOCAL_USERS_MAX,
  RULE_PORTS_MAX,
  Schedule,
} from "./policy.ts";
import { ReasonCode } from "./reason.ts";
import { Description, EpochSeconds, LocalUser } from "./units.ts";

/** Most policies of one file. */
export const FILE_POLICIES_MAX = 2_000;
/** Most groups whose settings one file has. */
export const FILE_GROUPS_MAX = 5_000;
/** Most tests of one account: they run at every save. */
export const POLICY_TESTS_MAX = 1_000;

/** A name of a group, peer, posture check or person as a file writes it, or `id:` and an id. */
export const FileName = z
  .string()
  .min(1, "is empty")
  .max(1024)
  .meta({ description: "A name, exactly as it is shown, or id: and an id" });
export type FileName = string;

const groupNames = z.array(FileName).max(RULE_GROUPS_MAX);
/** A port: a number, or the same as text. */
const port = z
  .union([z.int().min(1).max(65_535), z.string().regex(/^\d{1,5}$/, "is not a port")])
  .meta({ description: "A TCP or UDP port" });
/** A time: RFC 3339, or seconds since 1970, which it becomes. */
const time = z.union([
  EpochSeconds,
  z.iso.datetime({ offset: true }).transform((text) => Math.floor(Date.parse(text) / 1000)),
]);

/** A rule by names. Absent fields have the defaults of `qf policy create`. */
export const PolicyFileRule = z.strictObject({
  /** Absent: none. Identifies the rule when others are added or moved. */
  name: RuleName.optional(),
  description: Description.optional(),
  /** Absent: true. */
  enabled: z.boolean().optional(),
  /** Absent: accept. */
  action: z.enum(["accept", "drop"]).optional(),
  /** Absent: false. */
  bidirectional: z.boolean().optional(),
  /** Absent: qufabric-ssh. */
  protocol: Protocol.optional(),
  ports: z.array(port).max(RULE_PORTS_MAX).optional(),
  port_ranges: z.array(PortRange).max(RULE_PORTS_MAX).optional(),
  /** Groups. Exactly one of `sources` and `source_peer`, and likewise below. */
  sources: groupNames.optional(),
  source_peer: FileName.optional(),
  destinations: groupNames.optional(),
  destination_peer: FileName.optional(),
  source_devices: groupNames.optional(),
  /** Groups. Absent: none. */
  allow_intercepted: groupNames.optional(),
  /** Absent or empty: full access. */
  authorized_groups: z
    .record(
      FileName,
      z
        .array(z.union([z.literal("*"), LocalUser]))
        .min(1, 'is empty: name the OS users, or ["*"] for any of them')
        .max(RULE_LOCAL_USERS_MAX),
    )
    .optional(),
  ssh: PolicyRuleWrite.shape.ssh,
  machine_local_users: z.array(LocalUser).max(RULE_LOCAL_USERS_MAX).optional(),
  valid_from: time.optional(),
  valid_until: time.optional(),
  schedule: Schedule.optional(),
  /** Groups. Absent: the account's owners and admins. */
  approver_groups: groupNames.optional(),
  /** Seconds. Absent: 3600. */
  approval_seconds: PolicyRuleWrite.shape.approval_seconds,
});
export type PolicyFileRule = z.infer<typeof PolicyFileRule>;

/** A policy by names. */
export const PolicyFilePolicy = z.strictObject({
  /** `id:…` of the policy if its name does not identify it: for renaming. */
  id: z
    .string()
    .regex(/^id:[a-z0-9]{1,64}$/, "is not id: and an id")
    .optional(),
  name: FileName,
  description: Description.optional(),
  /** Absent: true. */
  enabled: z.boolean().optional(),
  /** Posture checks that a source must pass, by name. */
  source_posture_checks: z.array(FileName).max(32).optional(),
  rules: z.array(PolicyFileRule).min(1).max(POLICY_RULES_MAX),
});
export type PolicyFilePolicy = z.infer<typeof PolicyFilePolicy>;

/** Longest temporary membership of a requestable group, in seconds: 30 days. */
export const REQUEST_SECONDS_MAX = 2_592_000;

/** Settings of a group, by names. What is absent has its default. */
export const PolicyFileGroup = z.strictObject({
  /** Whether people may ask for a temporary membership. Absent: false. */
  requestable: z.boolean().optional(),
  /** Groups whose members decide about requests. Absent: the account's admins. */
  approver_groups: groupNames.optional(),
  /** Longest membership by request, in seconds. Absent: 28800 (8 h). */
  request_seconds_max: z.int().min(60).max(REQUEST_SECONDS_MAX).optional(),
  /** What every grant at a machine in the group must meet, whatever its rule says. Absent: nothing. */
  require: Require.optional(),
});
export type PolicyFileGroup = z.infer<typeof PolicyFileGroup>;

const target = ForwardTarget.refine((value) => !value.includes("*"), "names no one address: leave * out");

/** What a test or a question asks for: a word, or one thing with what it is about. Absent: `connect`. */
export const FileAction = z.union([
  z.enum(["connect", "shell", "pty", "sftp", "agent_forwarding"]),
  z.strictObject({ exec: z.string().min(1).max(COMMAND_BYTES_MAX) }),
  z.strictObject({ forward: target }),
  z.strictObject({ remote_forward: target }),
  z.strictObject({ forward_socket: z.string().min(1).max(4096) }),
  z.strictObject({ remote_forward_socket: z.string().min(1).max(4096) }),
]);
export type FileAction = z.infer<typeof FileAction>;

/** One expectation. Without `device`: from any of the person's devices. */
export const PolicyFileTest = z.strictObject({
  /** Shown where it fails. */
  name: RuleName.optional(),
  user: FileName,
  device: FileName.optional(),
  machine: FileName,
  local_user: LocalUser,
  action: FileAction.optional(),
  expect: z.enum(["allow", "deny"]),
  /** The reason that a denial must have. Absent: any. Not beside `expect: allow`. */
  reason: ReasonCode.optional(),
});
export type PolicyFileTest = z.infer<typeof PolicyFileTest>;

/**
 * The whole file. An absent section is left unchanged. `policies` and `tests` are complete: anything not
 * listed is deleted. In `groups` only the listed ones are changed.
 */
export const PolicyFile = z.strictObject({
  policies: z.array(PolicyFilePolicy).max(FILE_POLICIES_MAX).optional(),
  groups: z
    .record(FileName, PolicyFileGroup.nullable())
    .refine((groups) => Object.keys(groups).length <= FILE_GROUPS_MAX, `has over ${FILE_GROUPS_MAX} entries`)
    .optional(),
  tests: z.array(PolicyFileTest).max(POLICY_TESTS_MAX).optional(),
});
export type PolicyFile = z.infer<typeof PolicyFile>;

/** JSON Schema of the file, for editors. */
export function policyFileSchema(): Record<string, unknown> {
  return {
    ...PolicyFile.toJSONSchema({ io: "input", unrepresentable: "any" }),
    title: "QuFabric policy file",
  };
}
