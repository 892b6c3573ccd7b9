/**
 * Lost tails of a log: entries that machines have seen and that are missing since an older copy of the data
 * was restored. Each is recorded in the log (`log.lost`), and is a problem until an owner acknowledges it.
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

/** A lost tail as recorded in the log. */
export interface LostTail extends LostTailRecord {
  /** The number of the entry that records it. */
  readonly seq: number;
  readonly atMs: number;
  /** Null: not acknowledged. */
  readonly acknowledged: { readonly atMs: number; readonly by: string; readonly seq: number } | null;
}

/** Newest first. */
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
 * Whether `tail` already covers what a machine's note proves. An acknowledged one covers only the note that
 * it records: the log has grown since, and what is missing now may be another loss of the same numbers.
 */
function isToldBy(tail: LostTail, seen: { readonly note: string; readonly size: number }): boolean {
  return tail.acknowledged === null ? tail.to >= seen.size : tail.note === seen.note;
}

/**
 * Checks a machine's checkpoint, signed by one of our keys, which may prove that the log had more entries.
 * Records missing entries once. False: none of our keys signed it, or nothing is missing.
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

/** Entry numbers of the acknowledged loss that covers a log of `size` entries, and of its acknowledgement. */
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
