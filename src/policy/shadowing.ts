/**
 * Where a looser rule lets the same people in: what a stricter one asks of them has no effect then.
 *
 * Simple and honest: it compares groups by id (and knows `All`), not by who happens to be in them
 * today, so it can miss an overlap but does not make one up out of membership.
 *
 * @module
 */
import type { MapRule, MapSettings } from "../wire/network-map.ts";
import type { GroupId, RuleId } from "../wire/units.ts";
import { sftpMode } from "./decide/capabilities.ts";
import { obligationsOf } from "./decide/obligations.ts";
import { isSshProtocol } from "./decide/snapshot.ts";

export interface Shadow {
  readonly looser: RuleId;
  readonly stricter: RuleId;
  /** Fields of the stricter rule that the looser one does without. */
  readonly fields: readonly string[];
}

/** Every pair of live SSH accepts of which one undoes something of the other. */
export function findShadows(
  rules: readonly MapRule[],
  allGroupId: GroupId | null,
  require: MapSettings["require"],
): Shadow[] {
  const live = rules.filter((rule) => rule.enabled && rule.action === "accept" && isSshProtocol(rule));
  return live.flatMap((stricter) =>
    live.flatMap((looser) => {
      if (looser === stricter || !overlaps(looser, stricter, allGroupId)) return [];
      const fields = undoneFields(looser, stricter, require, allGroupId);
      return fields.length === 0 ? [] : [{ looser: looser.id, stricter: stricter.id, fields }];
    }),
  );
}

function overlaps(a: MapRule, b: MapRule, all: GroupId | null): boolean {
  const sameTargets =
    a.destinationPeerId === null || b.destinationPeerId === null
      ? meet(a.destinations, b.destinations, all)
      : a.destinationPeerId === b.destinationPeerId;
  const sameDevices =
    a.sourcePeerId === null || b.sourcePeerId === null
      ? a.sourcePeerId === b.sourcePeerId && meet(a.sources, b.sources, all)
      : a.sourcePeerId === b.sourcePeerId;
  return sameTargets && sameDevices && commonUsers(a, b, all) !== "none";
}

/** Whether some people may be some local user by both, and whether `a` adds local users to `b`'s. */
function commonUsers(a: MapRule, b: MapRule, all: GroupId | null): "none" | "some" | "more" {
  let outcome: "none" | "some" | "more" = "none";
  for (const [groupA, usersA] of peopleOf(a)) {
    for (const [groupB, usersB] of peopleOf(b)) {
      if (!meet([groupA], [groupB], all)) continue;
      const adds =
        usersA === null ? usersB !== null : usersB !== null && usersA.some((one) => !usersB.includes(one));
      const shares = usersA === null || usersB === null || usersA.some((one) => usersB.includes(one));
      if (adds) return "more";
      if (shares) outcome = "some";
    }
  }
  return outcome;
}

/** Groups of people with their local users; null is any. */
function peopleOf(rule: MapRule): [GroupId, readonly string[] | null][] {
  const keys = Object.entries(rule.authorizedGroups);
  if (keys.length === 0) return rule.sources.map((group) => [group, null]);
  return keys.map(([group, users]) => [group, users.includes("*") ? null : users]);
}

function meet(a: readonly GroupId[], b: readonly GroupId[], all: GroupId | null): boolean {
  if (a.length === 0 || b.length === 0) return false;
  const hasAll = all !== null && (a.includes(all) || b.includes(all));
  return hasAll || a.some((group) => b.includes(group));
}

const SFTP_WEIGHT = { write: 0, read: 1, off: 2 } as const;
const RECORD_WEIGHT = { off: 0, best_effort: 1, required: 2 } as const;

function undoneFields(
  looser: MapRule,
  stricter: MapRule,
  require: MapSettings["require"],
  all: GroupId | null,
): string[] {
  const a = looser.capabilities;
  const b = stricter.capabilities;
  const asks = obligationsOf(a, require);
  const wants = obligationsOf(b, require);
  const checks: [string, boolean][] = [
    ["authorized_groups", commonUsers(looser, stricter, all) === "more"],
    ["source_devices", stricter.sourceDevices.length > 0 && looser.sourceDevices.length === 0],
    ["schedule", stricter.schedule !== null && looser.schedule === null],
    ["valid_until", stricter.validUntilSeconds !== null && looser.validUntilSeconds === null],
    ["source_posture_checks", stricter.postureChecks.some((id) => !looser.postureChecks.includes(id))],
    ["ssh.commands", isList(b.commands) && !isList(a.commands)],
    ["ssh.sftp", SFTP_WEIGHT[sftpMode(b)] > SFTP_WEIGHT[sftpMode(a)]],
    ["ssh.pty", b.pty === false && a.pty !== false],
    ["ssh.agent_forwarding", b.agent_forwarding === false && a.agent_forwarding !== false],
    [
      "ssh.local_forward",
      b.local_forward !== undefined && a.local_forward === undefined && !isList(a.commands),
    ],
    ["ssh.record", RECORD_WEIGHT[wants.record] > RECORD_WEIGHT[asks.record]],
    ["ssh.require_approval", wants.approval && !asks.approval],
    ["ssh.require_reason", wants.reason && !asks.reason],
    ["ssh.reauth_within_seconds", isLess(wants.reauthWithinSeconds, asks.reauthWithinSeconds)],
    ["ssh.max_session_seconds", isLess(wants.maxSessionSeconds, asks.maxSessionSeconds)],
    ["ssh.idle_timeout_seconds", isLess(b.idle_timeout_seconds ?? null, a.idle_timeout_seconds ?? null)],
  ];
  return checks.filter(([, isUndone]) => isUndone).map(([field]) => field);
}

function isList(value: readonly string[] | null | undefined): boolean {
  return value !== null && value !== undefined;
}

/** Whether limit `a` is stricter than `b`; null is no limit. */
function isLess(a: number | null, b: number | null): boolean {
  return a !== null && (b === null || a < b);
}
