/**
 * Earlier states of an account's policies. The newest are kept, within a count and a size.
 *
 * @module
 */
import { and, count, desc, eq, lt, lte } from "drizzle-orm";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { Row } from "../schema/schema.ts";

export type PolicyStateRow = Row<"policyStates">;

/** States kept per account, and their total size. The newest stays, however large. */
const STATES_MAX = 100;
const STATES_BYTES_MAX = 32 * 1024 * 1024;

/** Newest first. With `before`, only those with smaller numbers. */
export function listPolicyStates(
  tx: Reader,
  accountId: AccountId,
  { limit, before }: { readonly limit: number; readonly before?: number | undefined },
): Promise<PolicyStateRow[]> {
  const { policyStates } = tx.t;
  const below = before === undefined ? undefined : lt(policyStates.number, before);
  return tx.sql
    .select()
    .from(policyStates)
    .where(and(eq(policyStates.accountId, accountId), below))
    .orderBy(desc(policyStates.number))
    .limit(limit);
}

/** How many states are kept. */
export async function countPolicyStates(tx: Reader, accountId: AccountId): Promise<number> {
  const { policyStates } = tx.t;
  const where = eq(policyStates.accountId, accountId);
  const [row] = await tx.sql.select({ kept: count() }).from(policyStates).where(where);
  return row?.kept ?? 0;
}

/** Adds a state and deletes those beyond the limits. */
export async function addPolicyState(tx: Writer, row: PolicyStateRow): Promise<void> {
  const { policyStates } = tx.t;
  await tx.sql.insert(policyStates).values(row);
  const { accountId, number, bytes } = policyStates;
  const kept = await tx.sql
    .select({ number, bytes })
    .from(policyStates)
    .where(eq(accountId, row.accountId))
    .orderBy(desc(number));
  let total = 0;
  const surplus = kept.find((one, i) => {
    total += one.bytes;
    return i > 0 && (i >= STATES_MAX || total > STATES_BYTES_MAX);
  });
  if (surplus === undefined) return;
  await tx.sql.delete(policyStates).where(and(eq(accountId, row.accountId), lte(number, surplus.number)));
}
