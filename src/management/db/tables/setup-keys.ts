/**
 * Setup keys, looked up by digest. Each use is counted.
 *
 * @module
 */
import { and, asc, eq, gt, lt, or, sql } from "drizzle-orm";
import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { sha256 } from "../../../base/random.ts";
import { SETUP_KEY_PREFIX } from "../../../wire/secret-kind.ts";
import type { AccountId, GroupId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";

export type SetupKeyRow = Row<"setupKeys">;

/** `expiresAt` of a key that never expires. */
export const ENDLESS = 0;

export function hashSetupKey(key: string): string {
  return sha256(key);
}

/** The form of a key shown after its creation. */
export function maskSetupKey(key: string): string {
  return `${key.slice(0, SETUP_KEY_PREFIX.length + 4)}****`;
}

export async function insertSetupKey(tx: Writer, key: NewRow<"setupKeys">): Promise<void> {
  await tx.sql.insert(tx.t.setupKeys).values(key);
}

export async function findSetupKey(
  tx: Reader,
  accountId: AccountId,
  keyId: string,
): Promise<SetupKeyRow | undefined> {
  const { setupKeys } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(setupKeys)
    .where(and(eq(setupKeys.accountId, accountId), eq(setupKeys.id, keyId)));
  return row;
}

export function listSetupKeys(tx: Reader, accountId: AccountId): Promise<SetupKeyRow[]> {
  const { setupKeys } = tx.t;
  return tx.sql
    .select()
    .from(setupKeys)
    .where(eq(setupKeys.accountId, accountId))
    .orderBy(asc(setupKeys.createdAt), asc(setupKeys.id));
}

export async function updateSetupKey(
  tx: Writer,
  accountId: AccountId,
  keyId: string,
  change: { revoked: boolean; autoGroups: GroupId[] },
): Promise<void> {
  const { setupKeys } = tx.t;
  await tx.sql
    .update(setupKeys)
    .set({ ...change, updatedAt: nowSeconds(tx.clock) })
    .where(and(eq(setupKeys.accountId, accountId), eq(setupKeys.id, keyId)));
}

export async function deleteSetupKey(tx: Writer, accountId: AccountId, keyId: string): Promise<void> {
  const { setupKeys } = tx.t;
  await tx.sql.delete(setupKeys).where(and(eq(setupKeys.accountId, accountId), eq(setupKeys.id, keyId)));
}

/**
 * Counts one use, checked and written by one statement. Throws the same ERR_UNAUTHENTICATED for an unknown,
 * expired, revoked and used-up key.
 */
export async function useSetupKey(tx: Writer, setupKey: string): Promise<SetupKeyRow> {
  const { setupKeys } = tx.t;
  const now = nowSeconds(tx.clock);
  const [row] = await tx.sql
    .update(setupKeys)
    .set({ usedTimes: sql`${setupKeys.usedTimes} + 1`, lastUsedAt: now })
    .where(
      and(
        eq(setupKeys.hash, hashSetupKey(setupKey)),
        eq(setupKeys.revoked, false),
        or(eq(setupKeys.expiresAt, ENDLESS), gt(setupKeys.expiresAt, now)),
        or(eq(setupKeys.usageLimit, 0), lt(setupKeys.usedTimes, setupKeys.usageLimit)),
      ),
    )
    .returning();
  if (row === undefined) {
    throw new QfError("ERR_UNAUTHENTICATED", "the setup key is not valid", {
      hint: "it may have expired, been revoked or been used: ask for a new one",
    });
  }
  return row;
}
