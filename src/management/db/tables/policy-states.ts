/**
 * Earlier states of an account's policies. The newest are kept, within a count and a size.
 *
 * @module
 */
import { and, count, desc, eq, getTableColumns, lt, lte, max } from "drizzle-orm";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { Row } from "../schema/schema.ts";

export type PolicyStateRow = Row<"policyStates">;
/** A row without the state itself, which is most of it. */
export type PolicyStateHead = Omit<PolicyStateRow, "state">;

/** A page of states, newest first. With `before`, only those with smaller numbers. */
interface Page {
  readonly limit: number;
  readonly before?: number | undefined;
}

/** States kept per account, and their total size. The newest stays, however large. */
const STATES_MAX = 100;
const STATES_BYTES_MAX = 32 * 1024 * 1024;

export function listPolicyStates(tx: Reader, accountId: AccountId, page: Page): Promise<PolicyStateRow[]> {
  const { policyStates } = tx.t;
  return tx.sql
    .select()
    .from(policyStates)
    .where(within(tx, accountId, page))
    .orderBy(desc(policyStates.number))
    .limit(page.limit);
}

export function listPolicyStateHeads(
  tx: Reader,
  accountId: AccountId,
  page: Page,
): Promise<PolicyStateHead[]> {
  const { policyStates } = tx.t;
  const { state: _, ...head } = getTableColumns(policyStates);
  return tx.sql
    .select(head)
    .from(policyStates)
    .where(within(tx, accountId, page))
    .orderBy(desc(policyStates.number))
    .limit(page.limit);
}

/** How many states are kept, and the number of the one in force. 0 and 0: there is none. */
export async function countPolicyStates(
  tx: Reader,
  accountId: AccountId,
): Promise<{ kept: number; newest: number }> {
  const { policyStates } = tx.t;
  const [row] = await tx.sql
    .select({ kept: count(), newest: max(policyStates.number) })
    .from(policyStates)
    .where(eq(policyStates.accountId, accountId));
  return { kept: row?.kept ?? 0, newest: row?.newest ?? 0 };
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

function within({ t: { policyStates } }: Reader, accountId: AccountId, { before }: Page) {
  const below = before === undefined ? undefined : lt(policyStates.number, before);
  return and(eq(policyStates.accountId, accountId), below);
}
