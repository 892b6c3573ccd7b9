/**
 * Logins (a person's proof bound to a login key), and hosted sign-ins that lead to one.
 *
 * @module
 */
import { and, asc, count, eq, gt, isNotNull, isNull, lt, or } from "drizzle-orm";
import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { LOGIN_SECONDS_MAX } from "../../../wire/account-settings.ts";
import { CLOCK_SKEW_SECONDS } from "../../../wire/certificate.ts";
import type { AccountId, PeerId, UserId } from "../../../wire/units.ts";
import { isUniqueViolation } from "../engine/errors.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";
import { findPeerById } from "./peers.ts";
import { endVouch } from "./vouches.ts";

export type LoginRow = Row<"logins">;
export type HostedLoginRow = Row<"hostedLogins">;

/** Throws ERR_TOKEN_INVALID when its token was claimed before or its login key has a login already. */
export async function insertLogin(tx: Writer, login: NewRow<"logins">): Promise<void> {
  try {
    await tx.sql.insert(tx.t.logins).values(login);
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause;
    throw new QfError("ERR_TOKEN_INVALID", "this login was used before", { hint: "sign in again" });
  }
}

export async function findLogin(tx: Reader, loginId: string): Promise<LoginRow | undefined> {
  const { logins } = tx.t;
  const [row] = await tx.sql.select().from(logins).where(eq(logins.id, loginId));
  return row;
}

/** `loginKey`: raw Ed25519 public key, base64url. */
export async function findLoginByKey(tx: Reader, loginKey: string): Promise<LoginRow | undefined> {
  const { logins } = tx.t;
  const [row] = await tx.sql.select().from(logins).where(eq(logins.loginKey, loginKey));
  return row;
}

export async function updateLogin(
  tx: Writer,
  loginId: string,
  change: Partial<Pick<LoginRow, "devicePeerId" | "until" | "authTime">>,
): Promise<void> {
  const { logins } = tx.t;
  await tx.sql.update(logins).set(change).where(eq(logins.id, loginId));
}

/** Revokes a login and the vouch made at it. Returns whether it was still valid. Affects maps. */
export async function revokeLogin(tx: Writer, loginId: string): Promise<boolean> {
  const { logins } = tx.t;
  const rows = await tx.sql
    .update(logins)
    .set({ revokedAt: nowSeconds(tx.clock) })
    .where(and(eq(logins.id, loginId), isNull(logins.revokedAt)))
    .returning({ id: logins.id, devicePeerId: logins.devicePeerId });
  await endVouchesOf(tx, rows);
  return rows.length === 1;
}

/** Ends the vouches made at these logins: a machine vouches for a device at one login only. */
async function endVouchesOf(
  tx: Writer,
  over: readonly Pick<LoginRow, "id" | "devicePeerId">[],
): Promise<void> {
  for (const { id, devicePeerId } of over) {
    const device = devicePeerId === null ? undefined : await findPeerById(tx, devicePeerId);
    if (device === undefined || (device.vouch !== null && device.vouch.loginId !== id)) continue;
    await endVouch(tx, device, "login_over");
  }
}

/**
 * Revokes every login of a user (with `apiTokenId`, those made by that token) or of a device. Affects maps.
 */
export async function revokeLoginsOf(
  tx: Writer,
  of: { userId: UserId; apiTokenId?: string } | { devicePeerId: PeerId },
): Promise<number> {
  const { logins } = tx.t;
  const whose =
    "devicePeerId" in of
      ? eq(logins.devicePeerId, of.devicePeerId)
      : and(
          eq(logins.userId, of.userId),
          of.apiTokenId === undefined ? undefined : madeBy(logins, of.apiTokenId),
        );
  const rows = await tx.sql
    .update(logins)
    .set({ revokedAt: nowSeconds(tx.clock) })
    .where(and(whose, isNull(logins.revokedAt)))
    .returning({ id: logins.id, devicePeerId: logins.devicePeerId });
  await endVouchesOf(tx, rows);
  return rows.length;
}

/** Logins made by the token. One without a token id is older than that column and ends with any token. */
function madeBy({ apiTokenId }: Reader["t"]["logins"], tokenId: string) {
  return or(eq(apiTokenId, tokenId), isNull(apiTokenId));
}

/**
 * Deletes logins that were over before `beforeSeconds`, when no token can be claimed again either. Revoked
 * ones stay while any cap on a login's age could make a machine accept them (`listRevokedLogins`).
 */
export async function deleteLoginsOverBefore(tx: Writer, beforeSeconds: number): Promise<void> {
  const { logins } = tx.t;
  await tx.sql
    .delete(logins)
    .where(
      and(
        lt(logins.until, beforeSeconds),
        or(isNull(logins.revokedAt), lt(logins.issuedAt, beforeSeconds - LOGIN_SECONDS_MAX)),
      ),
    );
}

/**
 * Logins revoked early, which machines must be told of until none would accept a login of that age. That is
 * by the current cap, which may have been raised since, plus the tolerated clock difference.
 */
export function listRevokedLogins(
  tx: Reader,
  accountId: AccountId,
  loginSecondsMax: number,
): Promise<LoginRow[]> {
  const { logins } = tx.t;
  const now = nowSeconds(tx.clock);
  return tx.sql
    .select()
    .from(logins)
    .where(
      and(
        eq(logins.accountId, accountId),
        isNotNull(logins.revokedAt),
        or(gt(logins.until, now), gt(logins.issuedAt, now - loginSecondsMax - 2 * CLOCK_SKEW_SECONDS)),
      ),
    )
    .orderBy(asc(logins.id));
}

/** Returns whether it was new. */
export async function insertHostedLogin(tx: Writer, login: NewRow<"hostedLogins">): Promise<boolean> {
  const { hostedLogins } = tx.t;
  const rows = await tx.sql
    .insert(hostedLogins)
    .values(login)
    .onConflictDoNothing()
    .returning({ id: hostedLogins.id });
  return rows.length === 1;
}

/** Unexpired. */
export async function findHostedLogin(tx: Reader, id: string): Promise<HostedLoginRow | undefined> {
  const { hostedLogins } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(hostedLogins)
    .where(and(eq(hostedLogins.id, id), gt(hostedLogins.expiresAt, nowSeconds(tx.clock))));
  return row;
}

/** How many unexpired ones in any state count towards the cap of `sourceAddress`. */
export async function countHostedLogins(tx: Reader, sourceAddress: string): Promise<number> {
  const { hostedLogins } = tx.t;
  const isAlive = gt(hostedLogins.expiresAt, nowSeconds(tx.clock));
  const [row] = await tx.sql
    .select({ alive: count() })
    .from(hostedLogins)
    .where(and(isAlive, eq(hostedLogins.sourceAddress, sourceAddress)));
  return row?.alive ?? 0;
}

/** Changes it if it is still in state `from`. Returns whether it was. */
export async function updateHostedLogin(
  tx: Writer,
  id: string,
  from: HostedLoginRow["state"],
  change: Partial<Pick<HostedLoginRow, "state" | "codeHash" | "triesLeft" | "data" | "expiresAt">>,
): Promise<boolean> {
  const { hostedLogins } = tx.t;
  const rows = await tx.sql
    .update(hostedLogins)
    .set(change)
    .where(and(eq(hostedLogins.id, id), eq(hostedLogins.state, from)))
    .returning({ id: hostedLogins.id });
  return rows.length === 1;
}

/** Deletes a hosted login, which can then never be claimed. */
export async function deleteHostedLogin(tx: Writer, id: string): Promise<void> {
  const { hostedLogins } = tx.t;
  await tx.sql.delete(hostedLogins).where(eq(hostedLogins.id, id));
}
