/**
 * Queries for signing in: password accounts, the embedded provider's records, challenges and one-time links.
 * One statement both checks and records each single use.
 *
 * @module
 */
import { and, eq, gt, isNull, lte, or } from "drizzle-orm";
import { nowSeconds } from "../../../base/clock.ts";
import type { UserId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";
import type { UserRow } from "./users.ts";

export interface PasswordUser {
  readonly login: Row<"idpAccounts">;
  readonly user: UserRow;
}

export async function insertIdpAccount(tx: Writer, login: NewRow<"idpAccounts">): Promise<void> {
  await tx.sql.insert(tx.t.idpAccounts).values(login);
}

/** `by.email` is in lower case. `by.subject` is the row's id. */
export async function findPasswordUser(
  tx: Reader,
  by: { email: string } | { subject: string } | { userId: UserId },
): Promise<PasswordUser | undefined> {
  const { idpAccounts, users } = tx.t;
  const condition =
    "email" in by
      ? eq(idpAccounts.email, by.email)
      : "subject" in by
        ? eq(idpAccounts.id, by.subject)
        : eq(idpAccounts.userId, by.userId);
  const [row] = await tx.sql
    .select({ login: idpAccounts, user: users })
    .from(idpAccounts)
    .innerJoin(users, eq(users.id, idpAccounts.userId))
    .where(condition);
  return row;
}

export async function updateIdpAccount(
  tx: Writer,
  subject: string,
  change: Partial<
    Pick<
      Row<"idpAccounts">,
      "passwordHash" | "passwordChangedAt" | "mustChange" | "failedAttempts" | "lockedUntil"
    >
  >,
): Promise<void> {
  const { idpAccounts } = tx.t;
  await tx.sql.update(idpAccounts).set(change).where(eq(idpAccounts.id, subject));
}

export type OidcPayloadRow = Row<"oidcPayloads">;

export async function putOidcPayload(tx: Writer, row: NewRow<"oidcPayloads">): Promise<void> {
  const { oidcPayloads } = tx.t;
  const { model: _, id: __, ...change } = row;
  await tx.sql
    .insert(oidcPayloads)
    .values(row)
    .onConflictDoUpdate({ target: [oidcPayloads.model, oidcPayloads.id], set: change });
}

/** Unexpired. */
export async function findOidcPayload(
  tx: Reader,
  model: string,
  by: { id: string } | { uid: string } | { userCode: string },
): Promise<OidcPayloadRow | undefined> {
  const { oidcPayloads } = tx.t;
  const key =
    "id" in by
      ? eq(oidcPayloads.id, by.id)
      : "uid" in by
        ? eq(oidcPayloads.uid, by.uid)
        : eq(oidcPayloads.userCode, by.userCode);
  const alive = or(isNull(oidcPayloads.expiresAt), gt(oidcPayloads.expiresAt, nowSeconds(tx.clock)));
  const [row] = await tx.sql
    .select()
    .from(oidcPayloads)
    .where(and(eq(oidcPayloads.model, model), key, alive));
  return row;
}

/** False when it was consumed before or does not exist. */
export async function consumeOidcPayload(tx: Writer, model: string, id: string): Promise<boolean> {
  const { oidcPayloads } = tx.t;
  const rows = await tx.sql
    .update(oidcPayloads)
    .set({ consumedAt: nowSeconds(tx.clock) })
    .where(and(eq(oidcPayloads.model, model), eq(oidcPayloads.id, id), isNull(oidcPayloads.consumedAt)))
    .returning({ id: oidcPayloads.id });
  return rows.length === 1;
}

export async function deleteOidcPayload(tx: Writer, model: string, id: string): Promise<void> {
  const { oidcPayloads } = tx.t;
  await tx.sql.delete(oidcPayloads).where(and(eq(oidcPayloads.model, model), eq(oidcPayloads.id, id)));
}

export async function deleteOidcGrant(tx: Writer, grantId: string): Promise<void> {
  const { oidcPayloads } = tx.t;
  await tx.sql.delete(oidcPayloads).where(eq(oidcPayloads.grantId, grantId));
}

export async function insertChallenge(tx: Writer, hash: string, expiresAt: number): Promise<void> {
  await tx.sql.insert(tx.t.challenges).values({ hash, expiresAt });
}

export async function insertSetupLink(tx: Writer, link: NewRow<"setupLinks">): Promise<void> {
  await tx.sql.insert(tx.t.setupLinks).values(link);
}

/** Whether the link may still be opened. Does not use it. */
export async function isSetupLinkOpen(tx: Reader, hash: string): Promise<boolean> {
  const { setupLinks } = tx.t;
  const [row] = await tx.sql.select().from(setupLinks).where(eq(setupLinks.hash, hash));
  return row !== undefined && row.usedAt === null && row.expiresAt > nowSeconds(tx.clock);
}

/** Uses the link. False when it is unknown, expired or used. */
export async function useSetupLink(tx: Writer, hash: string): Promise<boolean> {
  const { setupLinks } = tx.t;
  const now = nowSeconds(tx.clock);
  const rows = await tx.sql
    .update(setupLinks)
    .set({ usedAt: now })
    .where(and(eq(setupLinks.hash, hash), isNull(setupLinks.usedAt), gt(setupLinks.expiresAt, now)))
    .returning({ hash: setupLinks.hash });
  return rows.length === 1;
}

/** Deletes expired rows. Called from time to time. */
export async function deleteExpired(tx: Writer): Promise<void> {
  const { challenges, oidcPayloads, hostedLogins, setupLinks, passwordLinks } = tx.t;
  const now = nowSeconds(tx.clock);
  await tx.sql.delete(challenges).where(lte(challenges.expiresAt, now));
  await tx.sql.delete(oidcPayloads).where(lte(oidcPayloads.expiresAt, now));
  await tx.sql.delete(hostedLogins).where(lte(hostedLogins.expiresAt, now));
  await tx.sql.delete(setupLinks).where(lte(setupLinks.expiresAt, now));
  await tx.sql.delete(passwordLinks).where(lte(passwordLinks.expiresAt, now));
}
