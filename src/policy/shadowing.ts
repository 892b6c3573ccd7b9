/**
 * Warnings about rules that undo one another: a looser rule lets the same people in, so what a stricter
 * rule asks of them has no effect.
 *
 * Groups are compared by id (and `All` is known), not by who is in them today. So an overlap can be
 * missed, and none is made up out of membership.
 *
 * @module
 */
import type { MapRule, MapSettings } from "../wire/network-map.ts";
import type { GroupId, RuleId } from "../wire/units.ts";
import { isSshProtocol } from "./decide/snapshot.ts";
import { undoneFields } from "./undone-fields.ts";

/** One pair of rules, by id. */
export interface Shadow {
  readonly looser: RuleId;
  readonly stricter: RuleId;
  /** Fields of the stricter rule that the looser one does without. */
  readonly fields: readonly string[];
}

/**
 * Every pair of enabled SSH accept rules of which one undoes something of the other.
 *
 * `allGroupId` is the group that everybody and everything is in; null where there is none. `require` is
 * what the account asks of every grant, so that a rule without it undoes nothing.
 */
export function findShadows(
  rules: readonly MapRule[],
  allGroupId: GroupId | null,
  require: MapSettings["require"],
): Shadow[] {
  const live = rules.filter((rule) => rule.enabled && rule.action === "accept" && isSshProtocol(rule));
  return live.flatMap((stricter) =>
    live.flatMap((looser) => {
      if (looser === stricter || !overlaps(looser, stricter, allGroupId)) return [];
      const addsLocalUsers = commonUsers(looser, stricter, allGroupId) === "more";
      const fields = undoneFields({ looser, stricter, require, addsLocalUsers });
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
