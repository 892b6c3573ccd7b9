/**
 * Floors that groups set for every grant at their machines.
 *
 * @module
 */
import type { GroupSettings } from "../../wire/policy-account.ts";
import type { GroupId, PeerId } from "../../wire/units.ts";
import { type Floor, floorOf, strictest } from "../decide/obligations.ts";

/** What is required in an account. Groups and machines of which nothing is required may be absent. */
export interface Floors {
  readonly groups: ReadonlyMap<GroupId, Floor>;
  readonly machines: ReadonlyMap<PeerId, Floor>;
}

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

/** Whether a group or a machine is held to less in `after` than in `before`. */
export function lowersFloors(before: Floors, after: Floors): boolean {
  return isLowered(before.groups, after.groups) || isLowered(before.machines, after.machines);
}

function isLowered(before: ReadonlyMap<string, Floor>, after: ReadonlyMap<string, Floor>): boolean {
  return [...before].some(([id, was]) => {
    const is = after.get(id) ?? floorOf({});
    return JSON.stringify(strictest(was, is)) !== JSON.stringify(is);
  });
}
