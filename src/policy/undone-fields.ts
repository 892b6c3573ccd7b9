/**
 * The fields of a stricter rule that a looser rule for the same people does without.
 *
 * One entry per field of a rule and per capability: the tables do not compile without one, so a new field
 * cannot be forgotten here. `null` says that a field restricts nobody's SSH.
 *
 * @module
 */
import type { MapRule, MapSettings } from "../wire/network-map.ts";
import type { Schedule, SshCapabilities } from "../wire/policy.ts";
import { environmentPatterns, mayForwardAgent, sftpMode } from "./decide/capabilities.ts";
import { RECORD_WEIGHT, smallerLimit } from "./decide/obligations.ts";

/** Two rules for some of the same people, and what the account asks for every grant anyway. */
export interface RulePair {
  readonly looser: MapRule;
  readonly stricter: MapRule;
  readonly require: MapSettings["require"];
  /** Whether `looser` lets some of these people be local users that `stricter` does not list. */
  readonly addsLocalUsers: boolean;
}

interface FieldCheck {
  /** The field as an admin writes it. */
  readonly field: string;
  /** Whether the pair's looser rule lets pass what this field of the stricter one holds back. */
  readonly isUndone: (pair: RulePair) => boolean;
}

type CapabilityCheck = (
  looser: SshCapabilities,
  stricter: SshCapabilities,
  require: MapSettings["require"],
) => boolean;

const SFTP_WEIGHT = { write: 0, read: 1, off: 2 } as const;

const CAPABILITY_CHECKS: Readonly<Record<keyof SshCapabilities, CapabilityCheck>> = {
  commands: (a, b) => isList(b.commands) && !(isList(a.commands) && isSubset(a.commands, b.commands)),
  sftp: (a, b) => SFTP_WEIGHT[sftpMode(b)] > SFTP_WEIGHT[sftpMode(a)],
  pty: (a, b) => b.pty === false && a.pty !== false,
  agent_forwarding: (a, b) => mayForwardAgent(a) && !mayForwardAgent(b),
  local_forward: (a, b) => addsTargets(targetsOf(a, a.local_forward, "*:*"), b.local_forward),
  remote_forward: (a, b) => addsTargets(targetsOf(a, a.remote_forward, "localhost:*"), b.remote_forward),
  env: (a, b) => b.env !== undefined && environmentPatterns(a).some((name) => !coversName(b.env, name)),
  record: (a, b, { record }) => {
    const weightOf = (ssh: SshCapabilities): number =>
      Math.max(RECORD_WEIGHT[ssh.record ?? "off"], RECORD_WEIGHT[record]);
    return weightOf(b) > weightOf(a);
  },
  record_input: (a, b) => b.record_input === "all" && a.record_input !== "all",
  allow_unmanaged_devices: (a, b) => a.allow_unmanaged_devices === true && b.allow_unmanaged_devices !== true,
  allow_browsers: (a, b) => b.allow_browsers === false && a.allow_browsers !== false,
  require_approval: (a, b, { approval }) =>
    !approval && b.require_approval === true && a.require_approval !== true,
  require_reason: (a, b, { reason }) => !reason && b.require_reason === true && a.require_reason !== true,
  reauth_within_seconds: (a, b, { reauthWithinSeconds }) =>
    isStricterLimit(
      smallerLimit(b.reauth_within_seconds ?? null, reauthWithinSeconds),
      smallerLimit(a.reauth_within_seconds ?? null, reauthWithinSeconds),
    ),
  max_session_seconds: (a, b) => isStricterLimit(b.max_session_seconds, a.max_session_seconds),
  idle_timeout_seconds: (a, b) => isStricterLimit(b.idle_timeout_seconds, a.idle_timeout_seconds),
};

const RULE_CHECKS: Readonly<Record<keyof MapRule, FieldCheck | null>> = {
  authorizedGroups: { field: "authorized_groups", isUndone: (pair) => pair.addsLocalUsers },
  sourceDevices: {
    field: "source_devices",
    isUndone: ({ looser: a, stricter: b }) =>
      b.sourceDevices.length > 0 &&
      (a.sourceDevices.length === 0 || !isSubset(a.sourceDevices, b.sourceDevices)),
  },
  allowIntercepted: {
    field: "allow_intercepted",
    isUndone: ({ looser: a, stricter: b }) =>
      b.capabilities.allow_unmanaged_devices !== true &&
      !isSubset(a.allowIntercepted ?? [], b.allowIntercepted ?? []),
  },
  schedule: {
    field: "schedule",
    isUndone: ({ looser, stricter }) => isWider(looser.schedule, stricter.schedule),
  },
  validFromSeconds: {
    field: "valid_from",
    isUndone: ({ looser: a, stricter: b }) =>
      b.validFromSeconds !== null && (a.validFromSeconds === null || a.validFromSeconds < b.validFromSeconds),
  },
  validUntilSeconds: {
    field: "valid_until",
    isUndone: ({ looser: a, stricter: b }) =>
      b.validUntilSeconds !== null &&
      (a.validUntilSeconds === null || a.validUntilSeconds > b.validUntilSeconds),
  },
  postureChecks: {
    field: "source_posture_checks",
    isUndone: ({ looser, stricter }) => !isSubset(stricter.postureChecks, looser.postureChecks),
  },
  capabilities: null, // Field by field above.
  // Who and where: two rules that differ here are not for the same people.
  enabled: null,
  action: null,
  protocol: null,
  sources: null,
  sourcePeerId: null,
  destinations: null,
  destinationPeerId: null,
  // Without effect on people's SSH.
  id: null,
  policyId: null,
  ports: null,
  machineLocalUsers: null,
  bidirectional: null,
};

/**
 * Names of these fields as an admin writes them, those of `ssh` with a dot. Empty: the rules do not differ.
 */
export function undoneFields(pair: RulePair): string[] {
  const ofRule = Object.values(RULE_CHECKS).flatMap((check) =>
    check?.isUndone(pair) === true ? [check.field] : [],
  );
  const { looser, stricter, require } = pair;
  const ofSsh = Object.entries(CAPABILITY_CHECKS).flatMap(([field, isUndone]) =>
    isUndone(looser.capabilities, stricter.capabilities, require) ? [`ssh.${field}`] : [],
  );
  return [...ofRule, ...ofSsh];
}

function isList(value: readonly string[] | null | undefined): value is readonly string[] {
  return value !== null && value !== undefined;
}

function isSubset(part: readonly string[], whole: readonly string[]): boolean {
  return part.every((entry) => whole.includes(entry));
}

/** Whether limit `a` is stricter than `b`. Null or absent is no limit. */
function isStricterLimit(a: number | null | undefined, b: number | null | undefined): boolean {
  return a !== null && a !== undefined && (b === null || b === undefined || a < b);
}

/** Where `ssh` lets a forward go. `byDefault` is what an absent list means without `commands`. */
function targetsOf(
  ssh: SshCapabilities,
  written: readonly string[] | undefined,
  byDefault: string,
): readonly string[] {
  return written ?? (isList(ssh.commands) ? [] : [byDefault]);
}

/** Whether `targets` has an entry that no entry of `limit` covers. An absent limit holds nothing back. */
function addsTargets(targets: readonly string[], limit: readonly string[] | undefined): boolean {
  if (limit === undefined) return false;
  return targets.some((target) => !limit.some((entry) => coversTarget(entry, target)));
}

function coversTarget(entry: string, target: string): boolean {
  const [entryHost, entryPort] = splitTarget(entry);
  const [host, port] = splitTarget(target);
  return (entryHost === "*" || entryHost === host) && (entryPort === "*" || entryPort === port);
}

/** Host and port of HOST:PORT. The names of loopback are one host, as RFC 4254 section 7.1 has it. */
function splitTarget(target: string): readonly [host: string, port: string] {
  const at = target.lastIndexOf(":");
  const host = target.slice(0, at).toLowerCase();
  return [/^(?:localhost|127\.0\.0\.1|\[?::1\]?)$/.test(host) ? "localhost" : host, target.slice(at + 1)];
}

function coversName(patterns: readonly string[] | undefined, name: string): boolean {
  return (patterns ?? []).some(
    (pattern) => pattern === name || (pattern.endsWith("*") && name.startsWith(pattern.slice(0, -1))),
  );
}

/**
 * Whether `looser` holds at every hour of `stricter` and at others too. Two rules that take turns are
 * neither.
 */
function isWider(looser: Schedule | null, stricter: Schedule | null): boolean {
  if (stricter === null) return false;
  return looser === null || (coversHours(looser, stricter) && !coversHours(stricter, looser));
}

/** Whether every window of `part` lies inside the windows of `whole`. "HH:MM" sorts as text. */
function coversHours(whole: Schedule, part: Schedule): boolean {
  return part.windows.every((window) =>
    window.days.every((day) => {
      const open = whole.windows
        .filter((other) => other.days.includes(day))
        .sort((a, b) => (a.from < b.from ? -1 : 1));
      let reached = window.from;
      for (const { from, to } of open) if (from <= reached && to > reached) reached = to;
      return reached >= window.to;
    }),
  );
}
