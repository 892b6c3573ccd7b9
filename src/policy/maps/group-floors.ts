/**
 * Floors that groups set for every grant at their machines.
 *
 * @module
 */
import type { GroupSettings } from "../../wire/policy-account.ts";
import type { GroupId } from "../../wire/units.ts";
import { type Floor, floorOf, strictest } from "../decide/obligations.ts";

/** Requirements by group. Groups without any are absent. */
export function requiresOf(
  groups: readonly { readonly id: GroupId; readonly settings: GroupSettings | null }[],
): Map<GroupId, Floor> {
  const floors = new Map<GroupId, Floor>();
  for (const { id, settings } of groups) {
    if (settings?.require !== undefined) floors.set(id, floorOf(settings.require));
  }
  return floors;
}

/** The requirements at a machine in `groups`. Empty when no group has any. */
export function requireAt(
  groups: readonly GroupId[],
  requires: ReadonlyMap<GroupId, Floor>,
): { readonly require?: Floor } {
  const [first, ...more] = groups.flatMap((group) => requires.get(group) ?? []);
  return first === undefined ? {} : { require: more.reduce(strictest, first) };
}
