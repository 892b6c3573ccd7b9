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
 * Most rules in one policy. This and the limits below bound what one decision, map or page can cost.
 */
export const POLICY_RULES_MAX = 256;
/** Most groups in one list of a rule. */
export const RULE_GROUPS_MAX = 256;
/** Most OS users listed for one group in a rule. */
export const RULE_LOCAL_USERS_MAX = 256;
/** Longest approval of one access, in seconds: a week. */
export const APPROVAL_SECONDS_MAX = 604_800;
/** How long an approval lasts when the rule does not say, in seconds. */
export const APPROVAL_SECONDS_DEFAULT = 3_600;
/** Most ports in one rule, and most port ranges. */
export const RULE_PORTS_MAX = 256;

/**
 * Protocol of a rule, in NetBird's words. `netbird-ssh` is an alias of `qufabric-ssh`, stored and returned as
 * written.
 */
export const Protocol = z.enum(["all", "tcp", "udp", "icmp", "qufabric-ssh", "netbird-ssh"]);
export type Protocol = z.infer<typeof Protocol>;

/** A range of TCP or UDP ports, both ends inclusive, as NetBird writes it. */
export const PortRange = z
  .strictObject({ start: Port, end: Port })
  .refine((range) => range.start <= range.end, "starts after its end");
export type PortRange = z.infer<typeof PortRange>;

/** A single peer, where a rule names one instead of groups. */
export const Resource = z.strictObject({ id: PeerId, type: z.literal("peer") });
export type Resource = z.infer<typeof Resource>;

/** An entry of a forward list: `HOST:PORT`, where either may be `*`. */
export const ForwardTarget = z
  .string()
  .max(262)
  .regex(
    /^(?:\*|\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?):(?:\*|\d{1,5})$/,
    "is not HOST:PORT (either may be *)",
  );

/** A complete command line, split at single spaces into argv; no shell is involved. */
export const AllowedCommand = z
  .string()
  .min(1)
  .max(4096)
  .regex(
    /^\/[^\s\u0000-\u001f\u007f]*(?: [^\s\u0000-\u001f\u007f]+)*$/,
    "is not an absolute command with single spaces",
  );

/** Name of an environment variable that a client may set; a final `*` matches any ending. */
export const EnvironmentPattern = z
  .string()
  .max(128)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*\*?$/, "is not a variable name");

/**
 * What a grant allows beyond a shell. An absent field allows whatever the machine's own flags allow; the
 * machine and the grant must both allow it. There are two exceptions: agent forwarding needs
 * `agent_forwarding: true`, and `commands`, when not null, refuses the shell and turns sftp, forwards and env
 * off unless the rule sets them too.
 */
export const SshCapabilities = z.strictObject({
  /** "write": both ways. "read": downloads only. "off": no SFTP, scp or rsync. */
  sftp: z.enum(["write", "read", "off"]).optional(),
  /** Whether the client may request a terminal. Absent: true. */
  pty: z.boolean().optional(),
  /** Whether `ssh -A` works. Absent: false. Root on the machine can use a forwarded agent. */
  agent_forwarding: z.boolean().optional(),
  /** Destinations of -L, -D and -W. Absent: any except cloud metadata; empty: none. */
  local_forward: z.array(ForwardTarget).max(256).optional(),
  /** Addresses that -R may bind. Absent: loopback only; empty: none. */
  remote_forward: z.array(ForwardTarget).max(256).optional(),
  /** Null or absent: a shell and any command. A list: exactly these command lines. */
  commands: z.array(AllowedCommand).max(256).nullable().optional(),
  /** Variables the client may set. Absent: `LANG` and `LC_*`, or none if `commands` is set. */
  env: z.array(EnvironmentPattern).max(64).optional(),
  /** "required" refuses a session that cannot be recorded. Absent: "off". */
  record: z.enum(["off", "best_effort", "required"]).optional(),
  /**
   * "all" also records what is typed unseen, passwords included, and only encrypted. Absent: "shown". Older
   * agents do not know this field.
   */
  record_input: z.enum(["shown", "all"]).optional(),
  /** Longest a connection may last, in seconds. Absent: no limit. Zero is refused. */
  max_session_seconds: z.int().min(1).max(31_536_000).optional(),
  /** Longest a connection may be idle, in seconds. Absent: no limit. */
  idle_timeout_seconds: z.int().min(1).max(31_536_000).optional(),
  /** The person must have signed in within this many seconds. Absent: no such condition. */
  reauth_within_seconds: z.int().min(1).max(31_536_000).optional(),
  /** Lets in SSH clients on devices not enrolled here (keyboard-interactive). Absent: false. */
  allow_unmanaged_devices: z.boolean().optional(),
  /** Lets in the dashboard's terminal. Absent: the account's setting. */
  allow_browsers: z.boolean().optional(),
  /** Whether each connection needs a reason. Absent: false. */
  require_reason: z.boolean().optional(),
  /** Whether each access needs an approval. Absent: false. */
  require_approval: z.boolean().optional(),
});
export type SshCapabilities = z.infer<typeof SshCapabilities>;

/** Days and hours, in UTC, during which a rule holds. */
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
 * OS users for each user group. Absent or an empty map is full access: the people in this rule's sources may
 * be any OS user. `["*"]` is any OS user for that group. An empty list is refused.
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
  /** What the rule is for. */
  description: unlessNull(Description),
  /** Whether the rule is in effect. */
  enabled: z.boolean(),
  /** "drop" denies, and overrides every accept. */
  action: z.enum(["accept", "drop"]),
  /** Whether the rule also applies in the other direction. Stored but without effect in SSH rules. */
  bidirectional: z.boolean(),
  /** "qufabric-ssh" (or "netbird-ssh") governs SSH by people; the others are network rules. */
  protocol: Protocol,
  /** Empty, null or absent: every port; in an SSH rule, 22. */
  ports: unlessNull(z.array(z.string().regex(/^\d{1,5}$/, "is not a port")).max(RULE_PORTS_MAX)),
  /** Cannot be combined with `ports`. */
  port_ranges: unlessNull(z.array(PortRange).max(RULE_PORTS_MAX)),
  /** OS users by group id, `*` for any. Absent or empty: any OS user, for the people in the sources. */
  authorized_groups: unlessNull(AuthorizedGroups),
  /** What a connection may do and what it requires. Absent: whatever the machine's flags allow. */
  ssh: SshCapabilities.optional(),
  /** The device must also be in one of these groups. Absent or empty: no such condition. */
  source_devices: z.array(GroupId).max(RULE_GROUPS_MAX).optional(),
  /**
   * Machines whose users may connect from any program (`--intercept`) although `allow_unmanaged_devices` is
   * not set. Absent or empty: none. Older agents do not know this field.
   */
  allow_intercepted: z.array(GroupId).max(RULE_GROUPS_MAX).optional(),
  /** For `--disable-ssh-auth` machines: the OS users a peer may be. Absent: any except uid 0. */
  machine_local_users: z.array(LocalUser).max(RULE_LOCAL_USERS_MAX).optional(),
  /** When the rule begins to hold. Absent: no start. */
  valid_from: EpochSeconds.optional(),
  /** When the rule stops holding. Absent: no end. */
  valid_until: EpochSeconds.optional(),
  /** Days and hours, in UTC, during which the rule holds. Absent: always. */
  schedule: Schedule.optional(),
  /**
   * Groups whose standing members decide requests for this rule's approval. Absent or empty: the account's
   * owners and admins.
   */
  approver_groups: z.array(GroupId).max(RULE_GROUPS_MAX).optional(),
  /** Longest that one approval under this rule lasts, in seconds. Absent: 3600. */
  approval_seconds: z.int().min(60).max(APPROVAL_SECONDS_MAX).optional(),
} as const;

/**
 * A rule as it is written, with groups by id. Exactly one of `sources` and `sourceResource` is set, and
 * likewise for destinations; an empty list means nobody.
 */
export const PolicyRuleWrite = z.strictObject({
  /** Id of the rule that an update keeps. Absent or empty: a new rule. Ignored on creation. */
  id: unlessNull(z.string().max(64)),
  ...ruleFields,
  /** As stored; what could never take effect in `env` and the forwards is refused. */
  ssh: SshCapabilities.superRefine(refuseIdlePatterns).optional(),
  /** Groups of the people and devices that the rule is about. */
  sources: z.array(GroupId).max(RULE_GROUPS_MAX).nullable().optional(),
  /** One peer instead of `sources`. */
  sourceResource: Resource.nullable().optional(),
  /** Groups of the machines that the rule opens. */
  destinations: z.array(GroupId).max(RULE_GROUPS_MAX).nullable().optional(),
  /** One peer instead of `destinations`. */
  destinationResource: Resource.nullable().optional(),
});
export type PolicyRuleWrite = z.infer<typeof PolicyRuleWrite>;

/** Refuses patterns and forward targets that could never take effect. */
function refuseIdlePatterns(ssh: SshCapabilities, context: z.RefinementCtx): void {
  const { env = [], commands } = ssh;
  for (const [index, pattern] of env.entries()) {
    const message = refusalOfPattern(pattern, commands !== undefined && commands !== null);
    if (message !== null) context.addIssue({ code: "custom", path: ["env", index], message });
  }
  for (const list of ["local_forward", "remote_forward"] as const) {
    for (const [index, target] of (ssh[list] ?? []).entries()) {
      const message = refusalOfTarget(target);
      if (message !== null) context.addIssue({ code: "custom", path: [list, index], message });
    }
  }
}

/** Why no forward is ever to or from `target`, as a predicate. Null: some may be. */
function refusalOfTarget(target: string): string | null {
  const at = target.lastIndexOf(":");
  const [host, port] = [target.slice(0, at), target.slice(at + 1)];
  if (port !== "*" && !Port.safeParse(Number(port)).success) return "names no port: 1 to 65535, or * for any";
  return host.startsWith("[") && !URL.canParse(`http://${host}`) ? "names no IPv6 address" : null;
}

/** Body of POST /api/policies and PUT /api/policies/{id}. */
export const PolicyWrite = z.strictObject({
  /** Sent by NetBird's clients and ignored; the path names the policy. */
  id: z.unknown().optional(),
  /** NetBird's older form of the rules. Its dashboard sends it; both servers ignore it. */
  query: z.unknown().optional(),
  name: DisplayName,
  description: unlessNull(Description),
  enabled: z.boolean(),
  source_posture_checks: listOrNone(z.array(z.string().max(64)).max(32)),
  rules: z.array(PolicyRuleWrite).min(1).max(POLICY_RULES_MAX),
});
export type PolicyWrite = z.infer<typeof PolicyWrite>;

/** A group as it appears within other resources. */
export const GroupMinimum = z.object({
  id: GroupId,
  name: z.string(),
  peers_count: z.int(),
  resources_count: z.int(),
  issued: z.enum(["api", "integration", "jwt"]).optional(),
});
export type GroupMinimum = z.infer<typeof GroupMinimum>;

/** A rule as it is read, with groups by id and name. */
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
  /** Empty if none was given. */
  description: z.string(),
  enabled: z.boolean(),
  source_posture_checks: z.array(z.string()),
  rules: z.array(PolicyRule),
  /** Given when saving: surprises such as a looser rule that shadows a stricter one. */
  warnings: z.array(z.string()).optional(),
});
export type Policy = z.infer<typeof Policy>;
