/**
 * An account's changes since a version, by entity. Triggers record them in the transaction of the change (see
 * the migrations), so that no code can forget to.
 *
 * @module
 */
import { and, eq, gt, lte, ne, sql } from "drizzle-orm";
import type { AccountId, GroupId, PeerId } from "../../../wire/units.ts";
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
    .where(
      and(eq(mapChanges.accountId, accountId), gt(mapChanges.version, since), ne(mapChanges.kind, "left")),
    )
    .limit(max + 1);
  return rows.length > max ? null : rows;
}

/** A peer that left a group with a `require`. */
export interface Leaver {
  readonly groupId: GroupId;
  readonly peerId: PeerId;
}

/** Those who left in this transaction, or in one before that raised no version. */
export async function listLeavers(tx: Reader, accountId: AccountId): Promise<Leaver[]> {
  const { accounts, mapChanges } = tx.t;
  const rows = await tx.sql
    .select({ entityId: mapChanges.entityId })
    .from(mapChanges)
    .innerJoin(accounts, eq(accounts.id, mapChanges.accountId))
    .where(
      and(
        eq(mapChanges.accountId, accountId),
        eq(mapChanges.version, sql`${accounts.version} + 1`),
        eq(mapChanges.kind, "left"),
      ),
    );
  return rows.map(({ entityId }) => {
    const [groupId = "", peerId = ""] = entityId.split(" ");
    return { groupId, peerId };
  });
}

/** Deletes changes that are too old once an account is at `version`. */
export async function forgetMapChanges(tx: Writer, accountId: AccountId, version: number): Promise<void> {
  const { mapChanges } = tx.t;
  await tx.sql
    .delete(mapChanges)
    .where(and(eq(mapChanges.accountId, accountId), lte(mapChanges.version, version - VERSIONS_KEPT)));
}
