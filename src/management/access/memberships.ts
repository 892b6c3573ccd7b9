/**
 * Memberships with an end, given by an administrator or by an approved request. Each source changes only its
 * own.
 *
 * @module
 */
import type { AccountId, EpochSeconds, GroupId, UserId } from "../../wire/units.ts";
import type { Writer } from "../db/engine/transaction.ts";
import type { GroupUntil } from "../db/schema/accounts.ts";
import { findUser, type UserRow, updateUser } from "../db/tables/users.ts";

/** Adds the membership of a request. */
export async function addMembership(
  tx: Writer,
  user: Pick<UserRow, "accountId" | "id">,
  membership: GroupUntil & { readonly requestId: string },
): Promise<void> {
  await changeMemberships(tx, user.accountId, user.id, (now) => [
    ...now.filter(({ requestId }) => requestId !== membership.requestId),
    membership,
  ]);
}

/** Removes the membership of a request. */
export async function removeMembership(
  tx: Writer,
  { accountId, userId, id }: { readonly accountId: AccountId; readonly userId: UserId; readonly id: string },
): Promise<void> {
  await changeMemberships(tx, accountId, userId, (now) => now.filter(({ requestId }) => requestId !== id));
}

async function changeMemberships(
  tx: Writer,
  accountId: AccountId,
  userId: UserId,
  change: (now: readonly GroupUntil[]) => GroupUntil[],
): Promise<void> {
  const user = await findUser(tx, accountId, userId);
  if (user === undefined) return;
  await updateUser(tx, accountId, userId, { autoGroupsUntil: orNull(change(user.autoGroupsUntil ?? [])) });
}

/** Replaces the memberships that an administrator gave by `given`. Those of requests stay. */
export function withGiven(
  now: readonly GroupUntil[] | null,
  given: readonly { readonly groupId: GroupId; readonly until: EpochSeconds }[],
): GroupUntil[] | null {
  const ofRequests = (now ?? []).filter(({ requestId }) => requestId !== null);
  return orNull([...ofRequests, ...given.map((one) => ({ ...one, requestId: null }))]);
}

/** Memberships given by an administrator that have expired by `now`. */
export function overBy({ autoGroupsUntil }: UserRow, now: EpochSeconds): GroupUntil[] {
  return (autoGroupsUntil ?? []).filter(({ requestId, until }) => requestId === null && until <= now);
}

/** The memberships without those in `overBy`. */
export function withoutOver(user: UserRow, now: EpochSeconds): GroupUntil[] | null {
  const over = new Set(overBy(user, now));
  return orNull((user.autoGroupsUntil ?? []).filter((one) => !over.has(one)));
}

function orNull(memberships: GroupUntil[]): GroupUntil[] | null {
  return memberships.length === 0 ? null : memberships;
}
