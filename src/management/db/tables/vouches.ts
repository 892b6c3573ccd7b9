/**
 * Vouches: a machine vouches for a person's device, which lends the device the machine's groups.
 *
 * @module
 */
import { and, eq, isNotNull } from "drizzle-orm";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import { appendEvents, systemInitiator } from "./audit-events.ts";
import { findPeerById, type PeerRow, updatePeer } from "./peers.ts";

/**
 * login_over: the login that it was made at is over. access_over: the person may no longer reach the machine.
 * machine_gone: the machine is deleted or does not count. not_renewed: a later registration came without one.
 */
export type VouchEnd = "login_over" | "access_over" | "machine_gone" | "not_renewed";

/** Devices that a machine vouches for. */
export function listVouched(tx: Reader, accountId: AccountId): Promise<PeerRow[]> {
  const { peers } = tx.t;
  return tx.sql
    .select()
    .from(peers)
    .where(and(eq(peers.accountId, accountId), isNotNull(peers.vouchedByPeerId)));
}

/** Ends `device`'s vouch and records it. False: the vouch has changed since it was read. Affects maps. */
export async function endVouch(tx: Writer, device: PeerRow, why: VouchEnd): Promise<boolean> {
  if (!(await isVouchOf(tx, device))) return false;
  await updatePeer(tx, device.accountId, device.id, { vouchedByPeerId: null, vouch: null });
  const uid = device.vouch === null ? {} : { uid: String(device.vouch.uid), login: device.vouch.loginId };
  const meta = { machine: device.vouchedByPeerId ?? "", why, ...uid };
  await appendEvents(tx, device.accountId, systemInitiator, [
    { activity: "peer.vouch.end", targetId: device.id, meta },
  ]);
  return true;
}

/** Records that the person of `device` has access to the machine by policy, if the vouch is unchanged. */
export async function markByAccess(tx: Writer, device: PeerRow): Promise<void> {
  if (device.vouch === null || !(await isVouchOf(tx, device))) return;
  await updatePeer(tx, device.accountId, device.id, { vouch: { ...device.vouch, byAccess: true } });
}

async function isVouchOf(tx: Reader, { id, vouchedByPeerId, vouch }: PeerRow): Promise<boolean> {
  const now = await findPeerById(tx, id);
  if (now === undefined || now.vouchedByPeerId === null) return false;
  return now.vouchedByPeerId === vouchedByPeerId && now.vouch?.loginId === vouch?.loginId;
}
