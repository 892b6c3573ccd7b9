/**
 * Expiry of undecided requests, approvals, and memberships with an end.
 *
 * Machines enforce these ends themselves, from their maps. This part logs them and removes what has expired
 * from the maps.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { Writer } from "../db/engine/transaction.ts";
import type { ChangeWriter } from "../db/store.ts";
import {
  type AccessRequestRow,
  deleteAccessRequestsOver,
  listOverdue,
  stepAccessRequest,
} from "../db/tables/access-requests.ts";
import { systemInitiator } from "../db/tables/audit-events.ts";
import { findGroup } from "../db/tables/groups.ts";
import { findUser, listUsersWithEnds, type UserRow, updateUser } from "../db/tables/users.ts";
import { endApproved } from "./decide-request.ts";
import { overBy, withoutOver } from "./memberships.ts";
import { recordRequest } from "./request-events.ts";

/** Interval of the check. */
const LOOK_MS = 2_000;
/** Requests ended in one check. */
const BATCH = 200;
/** How long a request is kept after its end. */
const KEPT_SECONDS = 90 * 86_400;

type Context = Pick<ManagementContext, "store" | "clock" | "log">;

/** Checks every two seconds. Returns the function that stops it. */
export function watchAccessEnds(context: Context): () => Promise<void> {
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= endOverdue(context)
      .catch((cause: unknown) => context.log.warn("ends of access not looked at", {}, cause))
      .finally(() => {
        running = null;
      });
  }, LOOK_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** Ends whatever has expired by now. */
export async function endOverdue({ store, clock }: Context): Promise<void> {
  for (const row of await store.read((tx) => listOverdue(tx, BATCH))) {
    await store.change({ accountId: row.accountId, initiator: systemInitiator }, (tx) => endOne(tx, row));
  }
  const now = nowSeconds(clock);
  const users = await store.read(listUsersWithEnds);
  for (const user of users.filter((one) => overBy(one, now).length > 0)) {
    await store.change({ accountId: user.accountId, initiator: systemInitiator }, (tx) =>
      endMemberships(tx, user),
    );
  }
}

/** Deletes requests that ended more than `KEPT_SECONDS` ago. The log keeps them. */
export function forgetRequestsOver(tx: Writer): Promise<void> {
  return deleteAccessRequestsOver(tx, nowSeconds(tx.clock) - KEPT_SECONDS);
}

async function endOne(tx: ChangeWriter, row: AccessRequestRow): Promise<void> {
  if (row.state === "approved") {
    await endApproved(tx, row, "time", systemInitiator);
    return;
  }
  if (await stepAccessRequest(tx, row.id, "waiting", { state: "expired" })) {
    await recordRequest(tx, "access.expire", row, {}, systemInitiator);
  }
}

/** Ends expired memberships that an administrator gave. The others end with their requests. */
async function endMemberships(tx: ChangeWriter, { accountId, id }: UserRow): Promise<void> {
  const user = await findUser(tx, accountId, id);
  if (user === undefined) return;
  const now = nowSeconds(tx.clock);
  const over = overBy(user, now);
  if (over.length === 0) return;
  await updateUser(tx, accountId, id, { autoGroupsUntil: withoutOver(user, now) });
  tx.affectMaps();
  for (const { groupId } of over) {
    const group = (await findGroup(tx, accountId, groupId))?.name ?? groupId;
    const meta = { group, group_id: groupId, by: "its end" };
    tx.record({ activity: "user.group.delete", targetId: id, meta });
  }
}
