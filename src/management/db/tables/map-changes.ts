/**
 * Changes of an account since a version, by entity. Triggers note them in the transaction of the change
 * itself (see the migrations), so that no code can forget to.
 *
 * @module
 */
import { and, eq, gt, lte } from "drizzle-orm";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { Row } from "../schema/schema.ts";

export type MapChange = Pick<Row<"mapChanges">, "kind" | "entityId">;

/** Versions whose changes are kept. Who is further behind loads everything. */
const VERSIONS_KEPT = 1_024;

/**
 * Changes after version `since`, of an account that is at `version` now. Null: more than `max`, or some are
 * forgotten already.
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

/** Called when an account reaches `version`. */
export async function forgetMapChanges(tx: Writer, accountId: AccountId, version: number): Promise<void> {
  const { mapChanges } = tx.t;
  await tx.sql
    .delete(mapChanges)
    .where(and(eq(mapChanges.accountId, accountId), lte(mapChanges.version, version - VERSIONS_KEPT)));
}
