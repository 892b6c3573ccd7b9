/**
 * Reach of each SSH rule now, and whether it has been unused for long.
 *
 * Counts go by membership: a posture check, a schedule, or a `drop` elsewhere may still deny.
 *
 * @module
 */
import type { MapRule } from "../../wire/network-map.ts";
import type { PolicyAccount } from "../../wire/policy-account.ts";
import type { GroupId, RuleId } from "../../wire/units.ts";
import { isSshProtocol } from "../decide/snapshot.ts";
import { rulesOf } from "./questions.ts";

/** How many people and machines a rule concerns. */
export interface RuleReach {
  readonly people: number;
  readonly machines: number;
}

/** A rule is unused when it has decided nothing for so long. */
export const UNUSED_SECONDS = 90 * 86_400;

/** The reach of every SSH rule, by id. Rules about networks concern no people and are left out. */
export function reachOfRules(account: PolicyAccount): Map<RuleId, RuleReach> {
  const people = peopleByGroup(account);
  const machines = machinesByGroup(account);
  const known = new Map<string, number>();
  const count = (key: string, of: () => number): number => {
    const found = known.get(key) ?? of();
    known.set(key, found);
    return found;
  };
  const reachOf = (rule: MapRule): RuleReach => {
    const { sources, sourcePeerId, destinations, destinationPeerId } = rule;
    const keys = keysOf(rule);
    return {
      people: count(`p ${sources} ${sourcePeerId} ${keys}`, () => {
        const from = union(people.bySource, sourcePeerId === null ? sources : [sourcePeerId]);
        if (keys === null) return from.size;
        return [...union(people.byKey, keys)].filter((id) => from.has(id)).length;
      }),
      machines: count(`m ${destinations} ${destinationPeerId}`, () => {
        return union(machines, destinationPeerId === null ? destinations : [destinationPeerId]).size;
      }),
    };
  };
  return new Map(
    rulesOf(account)
      .filter(isSshProtocol)
      .map((rule) => [rule.id, reachOf(rule)]),
  );
}

/** Groups whose members may log in by the rule. Null: everybody whom its sources name. */
function keysOf({ authorizedGroups }: MapRule): GroupId[] | null {
  const entries = Object.entries(authorizedGroups);
  return entries.length === 0 ? null : entries.filter(([, users]) => users.length > 0).map(([key]) => key);
}

/** Active people: by their groups, and by what makes them a source (a group or device of theirs). */
function peopleByGroup({ users, peers }: PolicyAccount) {
  const byKey = new Map<string, Set<string>>();
  const bySource = new Map<string, Set<string>>();
  const active = users.filter(({ status }) => status === "active");
  for (const { id, groups } of active) {
    for (const group of groups) {
      add(byKey, group, id);
      add(bySource, group, id);
    }
  }
  const ids = new Set(active.map(({ id }) => id));
  for (const { id, ownerUserId, status, groups, vouchedGroups } of peers) {
    if (ownerUserId === null || !ids.has(ownerUserId) || status !== "active") continue;
    for (const source of [id, ...groups, ...vouchedGroups]) add(bySource, source, ownerUserId);
  }
  return { byKey, bySource };
}

/** Active machines that accept SSH, by their own groups and by id. */
function machinesByGroup({ peers }: PolicyAccount): Map<string, Set<string>> {
  const machines = new Map<string, Set<string>>();
  for (const { id, kind, status, sshEnabled, groups } of peers) {
    if (kind !== "machine" || status !== "active" || !sshEnabled) continue;
    for (const key of [id, ...groups]) add(machines, key, id);
  }
  return machines;
}

function union(sets: ReadonlyMap<string, ReadonlySet<string>>, keys: readonly string[]): ReadonlySet<string> {
  const [only] = keys;
  if (keys.length === 1 && only !== undefined) return sets.get(only) ?? new Set();
  return new Set(keys.flatMap((key) => [...(sets.get(key) ?? [])]));
}

function add(sets: Map<string, Set<string>>, key: string, id: string): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([id]));
  else set.add(id);
}

/** What is known of a rule's decisions. */
export interface RuleUse {
  /** Null: none is known. */
  readonly lastAt: number | null;
  /** Decisions before it may be unknown. */
  readonly countedSince: number;
}

/** Whether a rule has certainly decided nothing for `UNUSED_SECONDS`. */
export function isUnused({ lastAt, countedSince }: RuleUse, nowSeconds: number): boolean {
  return (lastAt ?? countedSince) + UNUSED_SECONDS <= nowSeconds;
}
