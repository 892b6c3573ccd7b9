/**
 * Checks that ids in a request exist in the caller's account. A missing one is named with 422.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import type { AccountId, GroupId, PeerId } from "../../../wire/units.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { type GroupRow, knownGroups } from "../../db/tables/groups.ts";
import { knownPeers } from "../../db/tables/peers.ts";

/** Throws ERR_UNPROCESSABLE naming `field` and the first id that is no group of the account. */
export async function requireKnownGroups(
  tx: Reader,
  accountId: AccountId,
  groupIds: readonly GroupId[],
  field: string,
): Promise<GroupRow[]> {
  const known = await knownGroups(tx, accountId, groupIds);
  const ids = new Set(known.map((group) => group.id));
  const unknown = groupIds.find((id) => !ids.has(id));
  if (unknown !== undefined)
    throw new QfError("ERR_UNPROCESSABLE", `${field} names an unknown group, ${unknown}`);
  return known;
}

/** Checks groups that a user or a setup key assigns; `All` cannot be assigned. */
export async function requireAssignableGroups(
  tx: Reader,
  accountId: AccountId,
  groupIds: readonly GroupId[],
): Promise<void> {
  const known = await requireKnownGroups(tx, accountId, groupIds, "auto_groups");
  if (known.some((group) => group.isAll)) {
    throw new QfError("ERR_UNPROCESSABLE", "auto_groups names the group All, which holds everybody already", {
      hint: "leave it out",
    });
  }
}

/** Throws ERR_UNPROCESSABLE naming `field` and the first id that is no peer of the account. */
export async function requireKnownPeers(
  tx: Reader,
  accountId: AccountId,
  peerIds: readonly PeerId[],
  field: string,
): Promise<void> {
  const ids = new Set((await knownPeers(tx, accountId, peerIds)).map((peer) => peer.id));
  const unknown = peerIds.find((id) => !ids.has(id));
  if (unknown !== undefined)
    throw new QfError("ERR_UNPROCESSABLE", `${field} names an unknown peer, ${unknown}`);
}
