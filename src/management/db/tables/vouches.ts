/**
 * Vouches: a machine's word for a person's device, which lends it the machine's groups.
 *
 * @module
 */
import { and, eq, isNotNull } from "drizzle-orm";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import { appendEvents, systemInitiator } from "./audit-events.ts";
import { findPeerById, type PeerRow, updatePeer } from "./peers.ts";

/**
 * login_over: the login it was given at is over. access_over: its person may not reach the machine any more.
 * machine_gone: the machine is not there, or does not count. not_renewed: a later registration came without.
 */
export type VouchEnd = "login_over" | "access_over" | "machine_gone" | "not_renewed";

/** Devices that some machine vouches for. */
export function listVouched(tx: Reader, accountId: AccountId): Promise<PeerRow[]> {
  const { peers } = tx.t;
  return tx.sql
    .select()
    .from(peers)
    .where(and(eq(peers.accountId, accountId), isNotNull(peers.vouchedByPeerId)));
}

/** Ends the vouch of `device` as it was read, with its event. False: it is another by now. Affects maps. */
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

/** Notes that the person of `device`, as it was read, reaches the machine by policy. */
export async function markByAccess(tx: Writer, device: PeerRow): Promise<void> {
  if (device.vouch === null || !(await isVouchOf(tx, device))) return;
  await updatePeer(tx, device.accountId, device.id, { vouch: { ...device.vouch, byAccess: true } });
}

async function isVouchOf(tx: Reader, { id, vouchedByPeerId, vouch }: PeerRow): Promise<boolean> {
  const now = await findPeerById(tx, id);
  if (now === undefined || now.vouchedByPeerId === null) return false;
  return now.vouchedByPeerId === vouchedByPeerId && now.vouch?.loginId === vouch?.loginId;
}
