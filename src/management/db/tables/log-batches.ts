/**
 * Signed batches of machines, and where they are in the log.
 *
 * @module
 */
import { and, asc, eq, gt, lte } from "drizzle-orm";
import type { BatchRecord } from "../../../wire/log-entry.ts";
import type { AccountId, PeerId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { Row } from "../schema/schema.ts";

export async function hasBatch(tx: Reader, peerId: PeerId, lastSeq: number): Promise<boolean> {
  const { logBatches } = tx.t;
  const rows = await tx.sql
    .select({ lastSeq: logBatches.lastSeq })
    .from(logBatches)
    .where(and(eq(logBatches.peerId, peerId), eq(logBatches.lastSeq, lastSeq)));
  return rows.length > 0;
}

/** `logSeq`: the number of its `agent.batch` event. */
export async function insertBatch(
  tx: Writer,
  peer: { readonly id: PeerId; readonly accountId: AccountId },
  { last_seq, hash }: BatchRecord,
  logSeq: number,
): Promise<void> {
  const row = { peerId: peer.id, accountId: peer.accountId, lastSeq: last_seq, hash, logSeq };
  await tx.sql.insert(tx.t.logBatches).values(row);
}

/** The machine's next batches after its event `afterSeq` that are in a tree of `size`, in order. */
export function listBatches(
  tx: Reader,
  peerId: PeerId,
  { afterSeq, size, max }: { readonly afterSeq: number; readonly size: number; readonly max: number },
): Promise<Row<"logBatches">[]> {
  const { logBatches } = tx.t;
  return tx.sql
    .select()
    .from(logBatches)
    .where(and(eq(logBatches.peerId, peerId), gt(logBatches.lastSeq, afterSeq), lte(logBatches.logSeq, size)))
    .orderBy(asc(logBatches.lastSeq))
    .limit(max);
}
