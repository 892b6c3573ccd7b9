/**
 * Comparison of what groups and their machines are held to before and after a change.
 *
 * It holds for every route and every way in which a machine comes out of a group.
 *
 * @module
 */
import { type Floors, lowersFloors, requireAt, requiresOf } from "../../../policy/maps/group-floors.ts";
import type { AccountId, GroupId, PeerId } from "../../../wire/units.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { listGroups, membersOf } from "../../db/tables/groups.ts";
import { knownPeers } from "../../db/tables/peers.ts";

/** Makes the change, then calls `onLess` if a group, or a machine that remains, is held to less. */
export async function withFloors<T>(
  tx: Reader,
  { accountId, onLess }: { readonly accountId: AccountId; readonly onLess: () => Promise<void> },
  change: () => Promise<T>,
): Promise<T> {
  const before = await floorsIn(tx, accountId);
  const result = await change();
  if (before.groups.size === 0) return result;
  const remaining = new Set(
    (await knownPeers(tx, accountId, [...before.machines.keys()])).map(({ id }) => id),
  );
  const machines = new Map([...before.machines].filter(([id]) => remaining.has(id)));
  if (lowersFloors({ ...before, machines }, await floorsIn(tx, accountId))) await onLess();
  return result;
}

/** Groups that require nothing are not read further, so that most accounts cost one query. */
async function floorsIn(tx: Reader, accountId: AccountId): Promise<Floors> {
  const groups = requiresOf(await listGroups(tx, accountId));
  const groupsOf = new Map<PeerId, GroupId[]>();
  for (const groupId of groups.keys()) {
    for (const { id } of await membersOf(tx, groupId)) {
      groupsOf.set(id, [...(groupsOf.get(id) ?? []), groupId]);
    }
  }
  const machines = new Map(
    [...groupsOf].flatMap(([id, its]) => {
      const { require } = requireAt(its, groups);
      return require === undefined ? [] : [[id, require] as const];
    }),
  );
  return { groups, machines };
}
