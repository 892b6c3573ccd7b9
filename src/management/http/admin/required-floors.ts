/**
 * Comparison of what groups and their machines are held to before and after a change.
 *
 * It holds for every route and every way in which a machine comes out of a group: the database itself notes
 * which machines leave a group that requires something.
 *
 * @module
 */
import { lowersFloors, requireAt, requiresOf } from "../../../policy/maps/group-floors.ts";
import type { AccountId, GroupId, PeerId } from "../../../wire/units.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { listGroupsWithSettings, membershipsOf } from "../../db/tables/groups.ts";
import { type Leaver, listLeavers } from "../../db/tables/map-changes.ts";

/**
 * Makes the change, then calls `onLess` if a group, or a machine that remains, is held to less. Costs one
 * query where no group requires anything, otherwise four, and one for the machines that left such a group.
 */
export async function withFloors<T>(
  tx: Reader,
  { accountId, onLess }: { readonly accountId: AccountId; readonly onLess: () => Promise<void> },
  change: () => Promise<T>,
): Promise<T> {
  const before = requiresOf(await listGroupsWithSettings(tx, accountId));
  if (before.size === 0) return await change();
  const earlier = new Set((await listLeavers(tx, accountId)).map(keyOf));
  const result = await change();
  const after = requiresOf(await listGroupsWithSettings(tx, accountId));
  const left = (await listLeavers(tx, accountId)).filter((leaver) => !earlier.has(keyOf(leaver)));
  const now =
    left.length === 0 ? [] : await membershipsOf(tx, [...new Set(left.map(({ peerId }) => peerId))]);
  // A machine is in the groups that it did not leave as before, so those need no look.
  const was = { groups: before, machines: floorsAt(left, before) };
  if (lowersFloors(was, { groups: after, machines: floorsAt(now, after) })) await onLess();
  return result;
}

function keyOf({ groupId, peerId }: Leaver): string {
  return `${groupId} ${peerId}`;
}

function floorsAt(memberships: readonly Leaver[], requires: ReturnType<typeof requiresOf>) {
  const groupsOf = new Map<PeerId, GroupId[]>();
  for (const { groupId, peerId } of memberships) {
    groupsOf.set(peerId, [...(groupsOf.get(peerId) ?? []), groupId]);
  }
  return new Map(
    [...groupsOf].flatMap(([id, groups]) => {
      const { require } = requireAt(groups, requires);
      return require === undefined ? [] : [[id, require] as const];
    }),
  );
}
