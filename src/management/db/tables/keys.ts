/**
 * Signing keys (encrypted by `ca/`) and providers' public keys as fetched.
 *
 * @module
 */
import { and, asc, eq, gte, isNull, lt } from "drizzle-orm";
import { nowSeconds } from "../../../base/clock.ts";
import type { PublicJwk } from "../../../wire/network-map.ts";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";

export type SigningKeyRow = Row<"signingKeys">;

export async function insertSigningKeys(tx: Writer, keys: readonly NewRow<"signingKeys">[]): Promise<void> {
  if (keys.length > 0) await tx.sql.insert(tx.t.signingKeys).values([...keys]);
}

/** Keys of an account, or of the server itself (null), oldest first. */
export function listSigningKeys(
  tx: Reader,
  accountId: AccountId | null,
  purpose: SigningKeyRow["purpose"],
): Promise<SigningKeyRow[]> {
  const { signingKeys } = tx.t;
  const owner = accountId === null ? isNull(signingKeys.accountId) : eq(signingKeys.accountId, accountId);
  return tx.sql
    .select()
    .from(signingKeys)
    .where(and(owner, eq(signingKeys.purpose, purpose)))
    .orderBy(asc(signingKeys.createdAt), asc(signingKeys.id));
}

export async function setSigningKeyState(
  tx: Writer,
  keyId: string,
  state: SigningKeyRow["state"],
): Promise<void> {
  const { signingKeys } = tx.t;
  const retiredAt = state === "retiring" || state === "retired" ? nowSeconds(tx.clock) : null;
  await tx.sql.update(signingKeys).set({ state, retiredAt }).where(eq(signingKeys.id, keyId));
}

/** Records that the provider publishes these keys now. Returns whether any is new. */
export async function noteIssuerKeys(
  tx: Writer,
  accountId: AccountId,
  issuer: string,
  keys: readonly { thumbprint: string; jwk: PublicJwk }[],
): Promise<boolean> {
  const { issuerKeys } = tx.t;
  const now = nowSeconds(tx.clock);
  const known = await listIssuerKeys(tx, accountId, issuer, 0);
  for (const { thumbprint, jwk } of keys) {
    await tx.sql
      .insert(issuerKeys)
      .values({ accountId, issuer, thumbprint, jwk, firstSeenAt: now, lastSeenAt: now })
      .onConflictDoUpdate({
        target: [issuerKeys.accountId, issuerKeys.issuer, issuerKeys.thumbprint],
        set: { lastSeenAt: now, jwk },
      });
  }
  return keys.some((key) => !known.some((row) => row.thumbprint === key.thumbprint));
}

/** Keys that the provider has published since `sinceSeconds`, newest last. */
export function listIssuerKeys(
  tx: Reader,
  accountId: AccountId,
  issuer: string,
  sinceSeconds: number,
): Promise<Row<"issuerKeys">[]> {
  const { issuerKeys } = tx.t;
  return tx.sql
    .select()
    .from(issuerKeys)
    .where(
      and(
        eq(issuerKeys.accountId, accountId),
        eq(issuerKeys.issuer, issuer),
        gte(issuerKeys.lastSeenAt, sinceSeconds),
      ),
    )
    .orderBy(asc(issuerKeys.firstSeenAt), asc(issuerKeys.thumbprint));
}

export async function forgetIssuerKeys(
  tx: Writer,
  accountId: AccountId,
  beforeSeconds: number,
): Promise<void> {
  const { issuerKeys } = tx.t;
  await tx.sql
    .delete(issuerKeys)
    .where(and(eq(issuerKeys.accountId, accountId), lt(issuerKeys.lastSeenAt, beforeSeconds)));
}
