/**
 * Policies and their rules as an admin writes them, in the shape of NetBird's public API plus our additive
 * fields. What people write is strict: an unknown field is refused, never ignored.
 *
 * Read `PolicyRuleWrite` first. What a rule *means* is `policy/decide/decide.ts`.
 *
 * @module
 */
import { z } from "zod";
import { refusalOfPattern } from "./client-environment.ts";
import { DisplayName, RuleName } from "./display-name.ts";
import { listOrNone, unlessNull } from "./given.ts";
import { Description, EpochSeconds, GroupId, LocalUser, PeerId, PolicyId, Port, RuleId } from "./units.ts";

/**
 * Most rules of one policy. Bounds what one decision, one map and one page can cost, as do the bounds below.
 */
export const POLICY_RULES_MAX = 256;
/** Most groups in one list of a rule. */
export const RULE_GROUPS_MAX = 256;
/** Most OS users of one group in a rule. */
export const RULE_LOCAL_USERS_MAX = 256;
/** Longest approval of one access, in seconds: a week. */
export const APPROVAL_SECONDS_MAX = 604_800;
/** How long an approval counts where a rule does not say, in seconds. */
export const APPROVAL_SECONDS_DEFAULT = 3_600;
/** Most ports, and most port ranges, of one rule. */
export const RULE_PORTS_MAX = 256;

/**
 * Protocol of a rule, in NetBird's words. `netbird-ssh` is an alias of `qufabric-ssh` and is given back as it
 * came.
 */
export const Protocol = z.enum(["all", "tcp", "udp", "icmp", "qufabric-ssh", "netbird-ssh"]);
export type Protocol = z.infer<typeof Protocol>;

/** A range of TCP or UDP ports, both ends inclusive, as NetBird writes it. */
export const PortRange = z
  .strictObject({ start: Port, end: Port })
  .refine((range) => range.start <= range.end, "starts after its end");
export type PortRange = z.infer<typeof PortRange>;

/** A peer named directly, where a rule speaks of one peer and not of a group. */
export const Resource = z.strictObject({ id: PeerId, type: z.literal("peer") });
export type Resource = z.infer<typeof Resource>;

/** An entry of a forward list: host, `*` or address, a colon, and a port or `*`. */
export const ForwardTarget = z
  .string()
  .max(262)
  .regex(
    /^(?:\*|\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?):(?:\*|\d{1,5})$/,
    "is not HOST:PORT (either may be *)",
  );

/** A whole command line, split at single spaces into argv without a shell. */
export const AllowedCommand = z
  .string()
  .min(1)
  .max(4096)
  .regex(
    /^\/[^\s\u0000-\u001f\u007f]*(?: [^\s\u0000-\u001f\u007f]+)*$/,
    "is not an absolute command with single spaces",
  );

/** Name of an environment variable a client may set; one `*` at its end is a wildcard. */
export const EnvironmentPattern = z
  .string()
  .max(128)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*\*?$/, "is not a variable name");

/**
 * What a grant may do beyond opening a shell. An absent field means everything the machine's own
 * flags allow; machine flags and grant must both allow. Two exceptions: the client's SSH agent is
 * reached only where `agent_forwarding` is true, and non-null `commands` refuses the shell and turns
 * sftp, forwards and env off unless they are written too.
 */
export const SshCapabilities = z.strictObject({
  /** "write" both ways, "read" downloads only, "off" also stops scp and rsync. */
  sftp: z.enum(["write", "read", "off"]).optional(),
  /** Whether a terminal may be asked for. Absent: yes. */
  pty: z.boolean().optional(),
  /** Absent: false. Root on the machine can use an agent that is lent to it. */
  agent_forwarding: z.boolean().optional(),
  /** Destinations of -L, -D, -W. Absent: any (but cloud metadata); empty: none. */
  local_forward: z.array(ForwardTarget).max(256).optional(),
  /** Bind addresses of -R. Absent: loopback only; empty: none. */
  remote_forward: z.array(ForwardTarget).max(256).optional(),
  /** Null or absent: any command and a shell. A list: those whole strings only. */
  commands: z.array(AllowedCommand).max(256).nullable().optional(),
  /** Variables the client may set, `*` for any ending. Absent: `LANG`, `LC_*`, or none beside `commands`. */
  env: z.array(EnvironmentPattern).max(64).optional(),
  /** "required" fails closed. Absent: off. */
  record: z.enum(["off", "best_effort", "required"]).optional(),
  /**
   * "all" keeps everything that is typed, passwords too, and only encrypted. Absent: "shown"; older agents
   * know no such field.
   */
  record_input: z.enum(["shown", "all"]).optional(),
  /** Longest a connection may last. Absent: no limit. Zero is refused. */
  max_session_seconds: z.int().min(1).max(31_536_000).optional(),
  /** Longest without traffic. Absent: no limit. */
  idle_timeout_seconds: z.int().min(1).max(31_536_000).optional(),
  /** The person must have proven themselves at most this long ago. */
  reauth_within_seconds: z.int().min(1).max(31_536_000).optional(),
  /** Lets in clients without a device of ours (keyboard-interactive). Absent: false. */
  allow_unmanaged_devices: z.boolean().optional(),
  /** Lets in browsers, for the dashboard's terminal. Absent: as the account's setting says. */
  allow_browsers: z.boolean().optional(),
  /** Whether each connection needs a reason. Absent: false. */
  require_reason: z.boolean().optional(),
  /** Whether each access needs an approval. Absent: false. */
  require_approval: z.boolean().optional(),
});
export type SshCapabilities = z.infer<typeof SshCapabilities>;

/** Hours of the week, in UTC, in which a rule holds. */
export const ScheduleWindow = z
  .strictObject({
    days: z
      .array(z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]))
      .min(1)
      .max(7),
    /** HH:MM, inclusive. */
    from: z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/),
    /** HH:MM, exclusive; "24:00" is midnight at the end of the day. Later than `from`. */
    to: z.string().regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/),
  })
  .refine((window) => window.from < window.to, "ends before it starts");
/** When a rule holds: within at least one of its windows. */
export const Schedule = z.strictObject({ windows: z.array(ScheduleWindow).min(1).max(32) });
export type Schedule = z.infer<typeof Schedule>;

/**
 * OS users per user group. Empty map or absent is full access: any OS user for the people of this
 * rule's sources. `["*"]` is any OS user for that group. An empty list is refused.
 */
export const AuthorizedGroups = z.record(
  GroupId,
  z
    .array(z.union([z.literal("*"), LocalUser]))
    .min(1, 'is empty: name the OS users, or ["*"] for any of them')
    .max(RULE_LOCAL_USERS_MAX),
);
export type AuthorizedGroups = z.infer<typeof AuthorizedGroups>;

const ruleFields = {
  /** May be empty. */
  name: RuleName,
  /** What it is for. */
  description: unlessNull(Description),
  /** Whether it counts at all. */
  enabled: z.boolean(),
  /** "drop" denies and wins over every accept. */
  action: z.enum(["accept", "drop"]),
  /** Whether the rule holds the other way as well. Stored, and without effect, for SSH rules. */
  bidirectional: z.boolean(),
  /** "qufabric-ssh" is for people's SSH, and "netbird-ssh" means the same; the others are network rules. */
  protocol: Protocol,
  /** Empty, null or absent: every port, or of an SSH rule 22. */
  ports: unlessNull(z.array(z.string().regex(/^\d{1,5}$/, "is not a port")).max(RULE_PORTS_MAX)),
  /** Not beside `ports`. */
  port_ranges: unlessNull(z.array(PortRange).max(RULE_PORTS_MAX)),
  /** OS users by group id, `*` for any. Absent or empty: every OS user, for the people of the sources. */
  authorized_groups: unlessNull(AuthorizedGroups),
  /** What a connection may do, and what it needs. Absent: what the machine's flags allow. */
  ssh: SshCapabilities.optional(),
  /** The device's own groups must meet these as well. Absent or empty: no such condition. */
  source_devices: z.array(GroupId).max(RULE_GROUPS_MAX).optional(),
  /**
   * Machines in these groups may bring their users' other programs (`--intercept`) where
   * `allow_unmanaged_devices` is not set. Absent or empty: none; older agents know no such field.
   */
  allow_intercepted: z.array(GroupId).max(RULE_GROUPS_MAX).optional(),
  /** For `--disable-ssh-auth` machines: the OS users this rule lets a peer be. Absent: any but uid 0. */
  machine_local_users: z.array(LocalUser).max(RULE_LOCAL_USERS_MAX).optional(),
  /** First second in which the rule holds. Absent: always has. */
  valid_from: EpochSeconds.optional(),
  /** First second in which it no longer holds. Absent: no end. */
  valid_until: EpochSeconds.optional(),
  /** Hours of the week, in UTC, in which the rule holds. Absent: always. */
  schedule: Schedule.optional(),
  /**
   * Groups whose standing members decide about requests where this rule asks for an approval. Absent or
   * empty: the account's owners and admins.
   */
  approver_groups: z.array(GroupId).max(RULE_GROUPS_MAX).optional(),
  /** Longest that one approval under this rule counts, in seconds. Absent: 3600. */
  approval_seconds: z.int().min(60).max(APPROVAL_SECONDS_MAX).optional(),
} as const;

/**
 * A rule as it is written: groups by id. Exactly one of sources/sourceResource, likewise destinations; an
 * empty list is nobody.
 */
export const PolicyRuleWrite = z.strictObject({
  /** Keeps the identity of an existing rule on update. Absent or empty: a new rule. Nothing on creation. */
  id: unlessNull(z.string().max(64)),
  ...ruleFields,
  /** As it is stored, and each pattern of `env` has to be one that is in force. */
  ssh: SshCapabilities.superRefine(refuseIdlePatterns).optional(),
  /** Groups of the people and devices that it is about. */
  sources: z.array(GroupId).max(RULE_GROUPS_MAX).nullable().optional(),
  /** One peer in place of `sources`. */
  sourceResource: Resource.nullable().optional(),
  /** Groups of the machines that it opens. */
  destinations: z.array(GroupId).max(RULE_GROUPS_MAX).nullable().optional(),
  /** One peer in place of `destinations`. */
  destinationResource: Resource.nullable().optional(),
});
export type PolicyRuleWrite = z.infer<typeof PolicyRuleWrite>;

/** A pattern that would never be in force is refused where it is written. */
function refuseIdlePatterns({ env = [], commands }: SshCapabilities, context: z.RefinementCtx): void {
  for (const [index, pattern] of env.entries()) {
    const message = refusalOfPattern(pattern, commands !== undefined && commands !== null);
    if (message !== null) context.addIssue({ code: "custom", path: ["env", index], message });
  }
}

/** Body of POST /api/policies and PUT /api/policies/{id}. */
export const PolicyWrite = z.strictObject({
  /** Sent along by NetBird's clients; the path says which policy it is. */
  id: z.unknown().optional(),
  /** NetBird's older form of the rules, sent along by its dashboard and without meaning there as well. */
  query: z.unknown().optional(),
  name: DisplayName,
  description: unlessNull(Description),
  enabled: z.boolean(),
  source_posture_checks: listOrNone(z.array(z.string().max(64)).max(32)),
  rules: z.array(PolicyRuleWrite).min(1).max(POLICY_RULES_MAX),
});
export type PolicyWrite = z.infer<typeof PolicyWrite>;

/** A group as other resources mention it. */
export const GroupMinimum = z.object({
  id: GroupId,
  name: z.string(),
  peers_count: z.int(),
  resources_count: z.int(),
  issued: z.enum(["api", "integration", "jwt"]).optional(),
});
export type GroupMinimum = z.infer<typeof GroupMinimum>;

/** A rule as it is read: groups with their names. */
export const PolicyRule = z.object({
  id: RuleId,
  ...ruleFields,
  name: z.string(),
  description: z.string(),
  sources: z.array(GroupMinimum).nullable().optional(),
  sourceResource: Resource.optional(),
  destinations: z.array(GroupMinimum).nullable().optional(),
  destinationResource: Resource.optional(),
});
export type PolicyRule = z.infer<typeof PolicyRule>;

/** A policy as GET /api/policies answers it; NetBird's `Policy` plus `warnings`. */
export const Policy = z.object({
  id: PolicyId,
  name: z.string(),
  /** Empty: none was written. */
  description: z.string(),
  enabled: z.boolean(),
  source_posture_checks: z.array(z.string()),
  rules: z.array(PolicyRule),
  /** Said at saving: what a reader would not expect, such as a looser rule shadowing a stricter one. */
  warnings: z.array(z.string()).optional(),
});
export type Policy = z.infer<typeof Policy>;
