/**
 * Outlets of accounts' logs, and how far each has been served.
 *
 * @module
 */
import { and, asc, count, eq, isNull, lt, or } from "drizzle-orm";
import { nowSeconds } from "../../../base/clock.ts";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";

export type OutletRow = Row<"logOutlets">;
type Purpose = OutletRow["purpose"];

/** Enabled outlets of all accounts, including those that still deliver their last entries. */
export function listLiveOutlets(tx: Reader): Promise<OutletRow[]> {
  const { logOutlets } = tx.t;
  return tx.sql.select().from(logOutlets).where(eq(logOutlets.enabled, true)).orderBy(asc(logOutlets.id));
}

/** An account's outlets that have not ended. */
export function listOutlets(tx: Reader, accountId: AccountId, purpose: Purpose): Promise<OutletRow[]> {
  const { logOutlets } = tx.t;
  return tx.sql
    .select()
    .from(logOutlets)
    .where(
      and(eq(logOutlets.accountId, accountId), eq(logOutlets.purpose, purpose), isNull(logOutlets.endsAtSeq)),
    )
    .orderBy(asc(logOutlets.createdAt), asc(logOutlets.id));
}

export async function findOutlet(
  tx: Reader,
  accountId: AccountId,
  id: string,
): Promise<OutletRow | undefined> {
  const { logOutlets } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(logOutlets)
    .where(and(eq(logOutlets.accountId, accountId), eq(logOutlets.id, id), isNull(logOutlets.endsAtSeq)));
  return row;
}

/** How many outlets an account has, including those that still deliver their last entries. */
export async function countOutlets(tx: Reader, accountId: AccountId): Promise<number> {
  const { logOutlets } = tx.t;
  const [found] = await tx.sql
    .select({ total: count() })
    .from(logOutlets)
    .where(eq(logOutlets.accountId, accountId));
  return found?.total ?? 0;
}

export async function insertOutlet(tx: Writer, row: NewRow<"logOutlets">): Promise<void> {
  await tx.sql.insert(tx.t.logOutlets).values(row);
}

/** Changes the given columns. */
export async function updateOutlet(
  tx: Writer,
  id: string,
  change: Partial<
    Pick<
      NewRow<"logOutlets">,
      | "name"
      | "enabled"
      | "target"
      | "topics"
      | "secret"
      | "endsAtSeq"
      | "endedAt"
      | "failingSince"
      | "lastError"
    >
  >,
): Promise<void> {
  const { logOutlets } = tx.t;
  await tx.sql.update(logOutlets).set(change).where(eq(logOutlets.id, id));
}

export async function deleteOutlet(tx: Writer, id: string): Promise<void> {
  const { logOutlets } = tx.t;
  await tx.sql.delete(logOutlets).where(eq(logOutlets.id, id));
}

/** Records that everything through entry `seq` is delivered or passed over. */
export async function advanceOutlet(
  tx: Writer,
  id: string,
  { seq, isDelivery }: { readonly seq: number; readonly isDelivery: boolean },
): Promise<void> {
  const { logOutlets } = tx.t;
  const now = nowSeconds(tx.clock);
  const delivered = isDelivery ? { lastDeliveredAt: now, failingSince: null, lastError: null } : {};
  await tx.sql
    .update(logOutlets)
    .set({ cursorSeq: seq, ...delivered })
    .where(and(eq(logOutlets.id, id), lt(logOutlets.cursorSeq, seq)));
}

/** Records a failed attempt. `failingSince` stays that of the first in a row. */
export async function failOutlet(tx: Writer, row: OutletRow, error: string): Promise<void> {
  const failingSince = row.failingSince ?? nowSeconds(tx.clock);
  await updateOutlet(tx, row.id, { failingSince, lastError: error });
}

/** Leases the outlet to the process `by` for `forMs`. False: another process has it. */
export async function leaseOutlet(
  tx: Writer,
  id: string,
  { by, forMs }: { readonly by: string; readonly forMs: number },
): Promise<boolean> {
  const { logOutlets } = tx.t;
  const nowMs = tx.clock.nowMs();
  const taken = await tx.sql
    .update(logOutlets)
    .set({ leaseBy: by, leaseUntilMs: Math.round(nowMs + forMs) })
    .where(
      and(
        eq(logOutlets.id, id),
        or(isNull(logOutlets.leaseBy), eq(logOutlets.leaseBy, by), lt(logOutlets.leaseUntilMs, nowMs)),
      ),
    )
    .returning({ id: logOutlets.id });
  return taken.length > 0;
}

/** Ends the leases of the process `by`, so that others may deliver at once. */
export async function releaseOutlets(tx: Writer, by: string): Promise<void> {
  const { logOutlets } = tx.t;
  await tx.sql.update(logOutlets).set({ leaseBy: null }).where(eq(logOutlets.leaseBy, by));
}
