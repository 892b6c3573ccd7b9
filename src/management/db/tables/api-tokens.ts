/**
 * API tokens, looked up by digest.
 *
 * @module
 */
import { and, asc, eq, gt, isNotNull, isNull, lte } from "drizzle-orm";
import { nowSeconds } from "../../../base/clock.ts";
import { sha256 } from "../../../base/random.ts";
import type { TokenScope } from "../../../wire/admin-api.ts";
import type { AccountId, UserId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";
import type { UserRow } from "./users.ts";

export type ApiTokenRow = Row<"apiTokens">;

/** `token.hash` is the token's `hashToken`. */
export async function insertToken(tx: Writer, token: NewRow<"apiTokens">): Promise<void> {
  await tx.sql.insert(tx.t.apiTokens).values(token);
}

/** The stored digest. A look-up by digest reveals nothing about near misses. */
export function hashToken(token: string): string {
  return sha256(token);
}

/** The unexpired token and its user. The caller checks its scope and the user's state. */
export async function findByToken(
  tx: Reader,
  token: string,
): Promise<{ token: ApiTokenRow; user: UserRow } | undefined> {
  const { apiTokens, users } = tx.t;
  const [row] = await tx.sql
    .select({ token: apiTokens, user: users })
    .from(apiTokens)
    .innerJoin(users, eq(users.id, apiTokens.userId))
    .where(and(eq(apiTokens.hash, hashToken(token)), gt(apiTokens.expiresAt, nowSeconds(tx.clock))));
  return row;
}

/** Tokens that a user named. Those made for a login come and go with it. */
export function listTokens(tx: Reader, accountId: AccountId, userId: UserId): Promise<ApiTokenRow[]> {
  const { apiTokens } = tx.t;
  return tx.sql
    .select()
    .from(apiTokens)
    .where(and(eq(apiTokens.accountId, accountId), eq(apiTokens.userId, userId), isNull(apiTokens.loginId)))
    .orderBy(asc(apiTokens.createdAt), asc(apiTokens.id));
}

export async function findToken(
  tx: Reader,
  accountId: AccountId,
  userId: UserId,
  tokenId: string,
): Promise<ApiTokenRow | undefined> {
  const { apiTokens } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(apiTokens)
    .where(and(eq(apiTokens.accountId, accountId), eq(apiTokens.userId, userId), eq(apiTokens.id, tokenId)));
  return row;
}

export async function deleteToken(tx: Writer, accountId: AccountId, tokenId: string): Promise<void> {
  const { apiTokens } = tx.t;
  await tx.sql.delete(apiTokens).where(and(eq(apiTokens.accountId, accountId), eq(apiTokens.id, tokenId)));
}

/** Deletes expired tokens that were made for a login. */
export async function deleteLoginTokensOver(tx: Writer, accountId: AccountId): Promise<void> {
  const { apiTokens } = tx.t;
  await tx.sql
    .delete(apiTokens)
    .where(
      and(
        eq(apiTokens.accountId, accountId),
        isNotNull(apiTokens.loginId),
        lte(apiTokens.expiresAt, nowSeconds(tx.clock)),
      ),
    );
}

export async function markTokenUsed(tx: Writer, tokenId: string): Promise<void> {
  const { apiTokens } = tx.t;
  await tx.sql
    .update(apiTokens)
    .set({ lastUsedAt: nowSeconds(tx.clock) })
    .where(eq(apiTokens.id, tokenId));
}

/** The row of a new token with this secret. */
export function newTokenRow(
  order: {
    id: string;
    accountId: AccountId;
    userId: UserId;
    name: string;
    scope: TokenScope;
    createdBy: UserId;
    createdAt: number;
    expiresAt: number;
    /** Absent: a token that its user names. */
    loginId?: string;
  },
  secret: string,
): ApiTokenRow {
  return { ...order, hash: hashToken(secret), lastUsedAt: null, loginId: order.loginId ?? null };
}
