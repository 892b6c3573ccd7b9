/**
 * The lost tail of a log: what machines have seen of it, and an older copy of the data that was put back does
 * not have. It is an entry of the log (`log.lost`), and a problem until an owner acknowledges it.
 *
 * @module
 */
import { openCheckpoint } from "../../log/checkpoint.ts";
import { LostTailRecord } from "../../wire/log-entry.ts";
import type { AccountId } from "../../wire/units.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { Reader } from "../db/engine/transaction.ts";
import { systemInitiator } from "../db/tables/audit-events.ts";
import { listLostTails } from "../db/tables/log-keys.ts";
import { requireHead } from "./account-logs.ts";

/** A lost tail as the log has it. */
export interface LostTail extends LostTailRecord {
  /** The number of its own entry. */
  readonly seq: number;
  readonly atMs: number;
  /** Null: nobody has acknowledged it. */
  readonly acknowledged: { readonly atMs: number; readonly by: string; readonly seq: number } | null;
}

/** The newest first. */
export async function lostTails(tx: Reader, accountId: AccountId): Promise<LostTail[]> {
  const tails: LostTail[] = [];
  for (const { activity, seq, atMs, data, initiatorName, initiatorEmail } of await listLostTails(
    tx,
    accountId,
  )) {
    if (activity === "log.lost.acknowledge") {
      const acknowledged = { atMs, seq, by: initiatorEmail || initiatorName };
      for (const [i, tail] of tails.entries())
        tails[i] = { ...tail, acknowledged: tail.acknowledged ?? acknowledged };
      continue;
    }
    const record = LostTailRecord.safeParse(data);
    if (record.success) tails.push({ ...record.data, seq, atMs, acknowledged: null });
  }
  return tails.reverse();
}

/**
 * Whether `tail` tells what a machine's note proves. One that was acknowledged tells that very note only: the
 * log has grown since, and what is missing now can be another loss at the same places.
 */
function isToldBy(tail: LostTail, seen: { readonly note: string; readonly size: number }): boolean {
  return tail.acknowledged === null ? tail.to >= seen.size : tail.note === seen.note;
}

/**
 * Takes a machine's word that the log had more entries: its checkpoint, which a key of ours has signed. What
 * is missing is written down once. False: no key of ours has signed that, or nothing is missing.
 */
export async function noteLostTail(
  { store, logs }: Pick<ManagementContext, "store" | "logs">,
  accountId: AccountId,
  note: string,
): Promise<boolean> {
  const seen = openCheckpoint(note, await logs.keys(accountId));
  if (seen === undefined) return false;
  return store.change({ accountId, initiator: systemInitiator }, async (tx) => {
    const { size } = await requireHead(tx, accountId);
    if (seen.size <= size) return false;
    if ((await lostTails(tx, accountId)).some((tail) => isToldBy(tail, { note, size: seen.size })))
      return true;
    const record = { from: size + 1, to: seen.size, note };
    const meta = { from: String(record.from), to: String(record.to) };
    tx.record({ activity: "log.lost", targetId: accountId, meta, data: record });
    return true;
  });
}

/** The loss that an owner has acknowledged and that covers a log of `size` entries, with both its entries. */
export async function acknowledgedLoss(
  tx: Reader,
  accountId: AccountId,
  size: number,
): Promise<{ readonly lost: number; readonly acknowledged: number } | null> {
  const tails = await lostTails(tx, accountId);
  const tail = tails.find(
    ({ acknowledged, from, to }) => acknowledged !== null && from <= size && size <= to,
  );
  const acknowledged = tail?.acknowledged?.seq;
  return tail === undefined || acknowledged === undefined ? null : { lost: tail.seq, acknowledged };
}
