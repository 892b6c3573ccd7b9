/**
 * Stored parts of policy files: an account's tests, and the text of the file applied last.
 *
 * @module
 */
import { eq } from "drizzle-orm";
import type { PolicyTest } from "../../../wire/policy-account.ts";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { Row } from "../schema/schema.ts";

export type PolicyFileRow = Row<"policyFiles">;

/** Undefined: no file was ever applied. */
export async function findPolicyFile(tx: Reader, accountId: AccountId): Promise<PolicyFileRow | undefined> {
  const { policyFiles } = tx.t;
  const [row] = await tx.sql.select().from(policyFiles).where(eq(policyFiles.accountId, accountId));
  return row;
}

/** The account's tests, empty if none were ever saved. */
export async function listPolicyTests(tx: Reader, accountId: AccountId): Promise<readonly PolicyTest[]> {
  return (await findPolicyFile(tx, accountId))?.tests ?? [];
}

/** Sets or ends `differsSince`. Without a stored file there is nothing to end. */
export async function noteDiffers(tx: Writer, accountId: AccountId, since: number | null): Promise<void> {
  const { policyFiles } = tx.t;
  await tx.sql.update(policyFiles).set({ differsSince: since }).where(eq(policyFiles.accountId, accountId));
}

/** `text` null: the input had no comments to keep. */
export async function putPolicyFile(tx: Writer, row: PolicyFileRow): Promise<void> {
  const { policyFiles } = tx.t;
  const { accountId: _, ...change } = row;
  await tx.sql
    .insert(policyFiles)
    .values(row)
    .onConflictDoUpdate({ target: policyFiles.accountId, set: change });
}
