/**
 * An account's changes since a version, by entity. Triggers record them in the transaction of the change (see
 * the migrations), so that no code can forget to.
 *
 * @module
 */
import { and, eq, gt, lte } from "drizzle-orm";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { Row } from "../schema/schema.ts";

export type MapChange = Pick<Row<"mapChanges">, "kind" | "entityId">;

/** Versions whose changes are kept. A reader further behind loads everything. */
const VERSIONS_KEPT = 1_024;

/**
 * Changes after version `since` of an account now at `version`. Null: more than `max`, or some are deleted
 * already.
 */
export async function listMapChanges(
  tx: Reader,
  accountId: AccountId,
  { since, version, max }: { readonly since: number; readonly version: number; readonly max: number },
): Promise<MapChange[] | null> {
  if (since < version - VERSIONS_KEPT) return null;
  const { mapChanges } = tx.t;
  const rows = await tx.sql
    .selectDistinct({ kind: mapChanges.kind, entityId: mapChanges.entityId })
    .from(mapChanges)
    .where(and(eq(mapChanges.accountId, accountId), gt(mapChanges.version, since)))
    .limit(max + 1);
  return rows.length > max ? null : rows;
}

/** Deletes changes that are too old once an account is at `version`. */
export async function forgetMapChanges(tx: Writer, accountId: AccountId, version: number): Promise<void> {
  const { mapChanges } = tx.t;
  await tx.sql
    .delete(mapChanges)
    .where(and(eq(mapChanges.accountId, accountId), lte(mapChanges.version, version - VERSIONS_KEPT)));
}
