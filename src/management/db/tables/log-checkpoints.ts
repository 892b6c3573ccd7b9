/**
 * Signed checkpoints, one per size, so that one size never has two roots.
 *
 * @module
 */
import { and, asc, between, desc, eq, inArray, lte } from "drizzle-orm";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { Row } from "../schema/schema.ts";

export type StoredCheckpoint = Row<"logCheckpoints">;

/** The largest checkpoint, or the largest of at most `sizeMax` leaves. */
export async function findCheckpoint(
  tx: Reader,
  accountId: AccountId,
  sizeMax = Number.MAX_SAFE_INTEGER,
): Promise<StoredCheckpoint | undefined> {
  const { logCheckpoints } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(logCheckpoints)
    .where(and(eq(logCheckpoints.accountId, accountId), lte(logCheckpoints.size, sizeMax)))
    .orderBy(desc(logCheckpoints.size))
    .limit(1);
  return row;
}

export async function insertCheckpoint(tx: Writer, checkpoint: StoredCheckpoint): Promise<void> {
  await tx.sql.insert(tx.t.logCheckpoints).values(checkpoint);
}

/** Most checkpoints in one list. */
const LISTED_MAX = 64;

/** Some of the checkpoints of `first` to `last` leaves, spread evenly, the smallest first. */
export async function listCheckpoints(
  tx: Reader,
  accountId: AccountId,
  first: number,
  last: number,
): Promise<StoredCheckpoint[]> {
  const { logCheckpoints } = tx.t;
  const inRange = and(eq(logCheckpoints.accountId, accountId), between(logCheckpoints.size, first, last));
  const sizes = await tx.sql
    .select({ size: logCheckpoints.size })
    .from(logCheckpoints)
    .where(inRange)
    .orderBy(asc(logCheckpoints.size));
  const step = Math.ceil(sizes.length / LISTED_MAX) || 1;
  const chosen = sizes.filter((_, i) => i % step === 0).map(({ size }) => size);
  if (chosen.length === 0) return [];
  return tx.sql
    .select()
    .from(logCheckpoints)
    .where(and(eq(logCheckpoints.accountId, accountId), inArray(logCheckpoints.size, chosen)))
    .orderBy(asc(logCheckpoints.size));
}
