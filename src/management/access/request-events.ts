/**
 * Audit events of requests, one for each step, with everything the request was about.
 *
 * @module
 */
import type { ActivityCode } from "../../wire/audit-event.ts";
import type { ChangeWriter } from "../db/store.ts";
import type { AccessRequestRow } from "../db/tables/access-requests.ts";
import type { Initiator } from "../db/tables/audit-events.ts";
import { findGroup } from "../db/tables/groups.ts";
import { findPeer, shownPeerName } from "../db/tables/peers.ts";
import { findUser } from "../db/tables/users.ts";

export type RequestActivity = Extract<ActivityCode, `access.${string}`>;

/**
 * Records a step. The target is the machine or, for a group request, the requester. `request` is the
 * request's id.
 */
export async function recordRequest(
  tx: ChangeWriter,
  activity: RequestActivity,
  row: AccessRequestRow,
  more: Readonly<Record<string, string>> = {},
  initiator?: Initiator,
): Promise<void> {
  const { accountId, machinePeerId, devicePeerId, groupId, userId } = row;
  const user = await findUser(tx, accountId, userId);
  const machine = machinePeerId === null ? undefined : await findPeer(tx, accountId, machinePeerId);
  const device = devicePeerId === null ? undefined : await findPeer(tx, accountId, devicePeerId);
  const group = groupId === null ? undefined : await findGroup(tx, accountId, groupId);
  const meta = {
    ...{ request: row.id, kind: row.kind, user: user?.name ?? "", user_id: userId },
    ...(user?.email ? { email: user.email } : {}),
    ...(machine === undefined ? {} : { machine: shownPeerName(machine) }),
    ...(device === undefined ? {} : { device: shownPeerName(device) }),
    ...(row.localUser === null ? {} : { local_user: row.localUser }),
    ...(row.ruleId === null ? {} : { rule: row.ruleId }),
    ...(groupId === null ? {} : { group: group?.name ?? groupId, group_id: groupId }),
    ...(row.reason === "" ? {} : { access_reason: row.reason }),
    ...more,
  };
  const targetId = machinePeerId ?? userId;
  tx.record({ activity, targetId, meta, ...(initiator === undefined ? {} : { initiator }) });
  await recordMembership(tx, activity, row, initiator);
}

/** Records a membership that began or ended, as for any other membership. */
async function recordMembership(
  tx: ChangeWriter,
  activity: RequestActivity,
  row: AccessRequestRow,
  initiator?: Initiator,
): Promise<void> {
  const { accountId, groupId, userId, id } = row;
  if (groupId === null || (activity !== "access.approve" && activity !== "access.end")) return;
  const group = (await findGroup(tx, accountId, groupId))?.name ?? groupId;
  tx.record({
    activity: activity === "access.approve" ? "user.group.add" : "user.group.delete",
    targetId: userId,
    meta: { group, group_id: groupId, by: `request ${id}` },
    ...(initiator === undefined ? {} : { initiator }),
  });
}
