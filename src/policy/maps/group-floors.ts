/**
 * Floors that groups set for every grant at the machines in them.
 *
 * @module
 */
import type { GroupSettings } from "../../wire/policy-account.ts";
import type { GroupId } from "../../wire/units.ts";
import { type Floor, floorOf, strictest } from "../decide/obligations.ts";

/** By group. Groups that require nothing are not in it. */
export function requiresOf(
  groups: readonly { readonly id: GroupId; readonly settings: GroupSettings | null }[],
): Map<GroupId, Floor> {
  const floors = new Map<GroupId, Floor>();
  for (const { id, settings } of groups) {
    if (settings?.require !== undefined) floors.set(id, floorOf(settings.require));
  }
  return floors;
}

/** What is required at a machine in `groups`; nothing where none of them requires anything. */
export function requireAt(
  groups: readonly GroupId[],
  requires: ReadonlyMap<GroupId, Floor>,
): { readonly require?: Floor } {
  const [first, ...more] = groups.flatMap((group) => requires.get(group) ?? []);
  return first === undefined ? {} : { require: more.reduce(strictest, first) };
}
