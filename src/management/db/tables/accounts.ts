/**
 * Accounts, and values of the whole installation.
 *
 * @module
 */
import { asc, eq, sql } from "drizzle-orm";
import type { AccountSettings } from "../../../wire/account-settings.ts";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";
import { forgetMapChanges } from "./map-changes.ts";

export type AccountRow = Row<"accounts">;

/**
 * `origin`: public origin, set at the first serve. `epoch`: raised when a backup is restored. `trial_write`:
 * written to test that the database takes writes. `kept.…`: see `shortened-retention.ts`.
 */
export type MetaKey = "origin" | "moves" | "epoch" | "trial_write" | `kept.${string}`;

export async function findMeta(tx: Reader, key: MetaKey): Promise<string | undefined> {
  const { meta } = tx.t;
  const [row] = await tx.sql.select().from(meta).where(eq(meta.key, key));
  return row?.value;
}

export async function putMeta(tx: Writer, key: MetaKey, value: string): Promise<void> {
  const { meta } = tx.t;
  await tx.sql.insert(meta).values({ key, value }).onConflictDoUpdate({ target: meta.key, set: { value } });
}

/** The epoch of all maps, 1 until a backup is restored. */
export async function findEpoch(tx: Reader): Promise<number> {
  return Number((await findMeta(tx, "epoch")) ?? "1");
}

export async function insertAccount(tx: Writer, account: NewRow<"accounts">): Promise<void> {
  await tx.sql.insert(tx.t.accounts).values(account);
}

export async function findAccount(tx: Reader, accountId: AccountId): Promise<AccountRow | undefined> {
  const { accounts } = tx.t;
  const [row] = await tx.sql.select().from(accounts).where(eq(accounts.id, accountId));
  return row;
}

/** Oldest first. There is one unless the installation serves several organisations. */
export function listAccounts(tx: Reader): Promise<AccountRow[]> {
  const { accounts } = tx.t;
  return tx.sql.select().from(accounts).orderBy(asc(accounts.createdAt), asc(accounts.id));
}

export async function updateAccount(
  tx: Writer,
  accountId: AccountId,
  change: { settings?: AccountSettings; onboarding?: AccountRow["onboarding"]; domain?: string },
): Promise<void> {
  const { accounts } = tx.t;
  await tx.sql.update(accounts).set(change).where(eq(accounts.id, accountId));
}

/** Deletes an account with everything in it but its audit events. */
export async function deleteAccount(tx: Writer, accountId: AccountId): Promise<void> {
  const { accounts } = tx.t;
  await tx.sql.delete(accounts).where(eq(accounts.id, accountId));
}

/** The account's version. Undefined: there is no such account. */
export async function findVersion(tx: Reader, accountId: AccountId): Promise<number | undefined> {
  const { accounts } = tx.t;
  const [row] = await tx.sql
    .select({ version: accounts.version })
    .from(accounts)
    .where(eq(accounts.id, accountId));
  return row?.version;
}

/** Raises the version and returns it. Undefined: the account was deleted. */
export async function bumpVersion(tx: Writer, accountId: AccountId): Promise<number | undefined> {
  const { accounts } = tx.t;
  const [row] = await tx.sql
    .update(accounts)
    .set({ version: sql`${accounts.version} + 1` })
    .where(eq(accounts.id, accountId))
    .returning({ version: accounts.version });
  if (row !== undefined) await forgetMapChanges(tx, accountId, row.version);
  return row?.version;
}
