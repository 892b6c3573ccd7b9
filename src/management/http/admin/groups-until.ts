/**
 * `auto_groups_until` of users: group memberships with an end, given by administrators.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import type { GroupUntil, UserRequest } from "../../../wire/admin-api.ts";
import { withGiven } from "../../access/memberships.ts";
import type { ChangeWriter } from "../../db/store.ts";
import type { UserRow } from "../../db/tables/users.ts";
import { requireAssignableGroups } from "./references.ts";
import { type Call, isoTime } from "./route.ts";
import { requireMayChange } from "./user-rules.ts";

type Memberships = UserRow["autoGroupsUntil"];

/** A user's memberships with an end after the request, which replaces those that administrators gave. */
export async function groupsUntilOf(
  call: Pick<Call<UserRequest>, "body" | "accountId">,
  tx: ChangeWriter,
  { actor, user }: { readonly actor: UserRow; readonly user: UserRow },
): Promise<Memberships> {
  const asked = call.body.auto_groups_until;
  if (asked === undefined) return user.autoGroupsUntil;
  const given = asked.map(({ group, until }) => ({
    groupId: group,
    until: Math.floor(Date.parse(until) / 1000),
  }));
  const next = withGiven(user.autoGroupsUntil, given);
  if (JSON.stringify(next) === JSON.stringify(user.autoGroupsUntil)) return user.autoGroupsUntil;
  requireMayChange(actor, user);
  const isOver = given.some(({ until }) => until <= nowSeconds(tx.clock));
  if (isOver) throw new QfError("ERR_UNPROCESSABLE", "auto_groups_until has an end that has passed");
  await requireAssignableGroups(
    tx,
    call.accountId,
    given.map(({ groupId }) => groupId),
  );
  return next;
}

/** Memberships with an end that `now` has and `before` lacks. */
function lackingIn(before: UserRow, now: UserRow): NonNullable<Memberships> {
  const had = new Set((before.autoGroupsUntil ?? []).map((one) => JSON.stringify(one)));
  return (now.autoGroupsUntil ?? []).filter((one) => !had.has(JSON.stringify(one)));
}

/** Records the difference between `before` and `now` as events. */
export function recordGroupsUntil(tx: Pick<ChangeWriter, "record">, before: UserRow, now: UserRow): void {
  const meta = { user: before.name };
  for (const { groupId: group, until } of lackingIn(before, now)) {
    const added = { ...meta, group, until: isoTime(until) };
    tx.record({ activity: "user.group.add", targetId: before.id, meta: added });
  }
  for (const { groupId: group } of lackingIn(now, before)) {
    tx.record({ activity: "user.group.delete", targetId: before.id, meta: { ...meta, group } });
  }
}

/** The field in an answer; left out if there are none. */
export function shownGroupsUntil({ autoGroupsUntil }: Pick<UserRow, "autoGroupsUntil">): {
  auto_groups_until?: GroupUntil[];
} {
  if (autoGroupsUntil === null) return {};
  return {
    auto_groups_until: autoGroupsUntil.map(({ groupId, until, requestId }) => ({
      ...{ group: groupId, until: isoTime(until) },
      ...(requestId === null ? {} : { request: requestId }),
    })),
  };
}
