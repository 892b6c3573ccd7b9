/**
 * Links by which people of the embedded provider choose a password: an invitation, or a reset.
 *
 * @module
 */
import { and, eq, gt } from "drizzle-orm";
import { nowSeconds } from "../../../base/clock.ts";
import type { AccountId, UserId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";

export type PasswordLinkRow = Row<"passwordLinks">;

/** Stores a link. It replaces any earlier link of its user. */
export async function putPasswordLink(tx: Writer, link: NewRow<"passwordLinks">): Promise<void> {
  await deletePasswordLinksOf(tx, link.userId);
  await tx.sql.insert(tx.t.passwordLinks).values(link);
}

/** Finds a link that is still valid, without using it. */
export async function findPasswordLink(tx: Reader, hash: string): Promise<PasswordLinkRow | undefined> {
  const { passwordLinks } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(passwordLinks)
    .where(and(eq(passwordLinks.hash, hash), gt(passwordLinks.expiresAt, nowSeconds(tx.clock))));
  return row;
}

/** People who have not chosen a password yet, whether or not their invitation is still valid. */
export async function listInvited(tx: Reader, accountId: AccountId): Promise<ReadonlySet<UserId>> {
  const { idpAccounts } = tx.t;
  const rows = await tx.sql
    .select({ userId: idpAccounts.userId })
    .from(idpAccounts)
    .where(and(eq(idpAccounts.accountId, accountId), eq(idpAccounts.passwordHash, "")));
  return new Set(rows.map(({ userId }) => userId));
}

/** Deletes the link, so that it works once. Undefined: it is unknown, used or expired. */
export async function usePasswordLink(tx: Writer, hash: string): Promise<PasswordLinkRow | undefined> {
  const { passwordLinks } = tx.t;
  const [row] = await tx.sql.delete(passwordLinks).where(eq(passwordLinks.hash, hash)).returning();
  return row !== undefined && row.expiresAt > nowSeconds(tx.clock) ? row : undefined;
}

export async function deletePasswordLinksOf(tx: Writer, userId: UserId): Promise<void> {
  const { passwordLinks } = tx.t;
  await tx.sql.delete(passwordLinks).where(eq(passwordLinks.userId, userId));
}
