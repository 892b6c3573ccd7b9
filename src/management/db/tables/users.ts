/**
 * People and service users. The identity is (issuer, subject), never an e-mail address.
 *
 * @module
 */
import { and, asc, count, eq, inArray, isNotNull, or } from "drizzle-orm";
import type { AccountId, UserId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";

export type UserRow = Row<"users">;

/** Ids in one IN, to stay below the database's limit on parameters. */
const CHUNK = 500;

/** Stored in place of our own issuers' URLs, which move with the public URL. */
export const EMBEDDED_ISSUER = "embedded";
export const SERVICE_ISSUER = "service";

/** The exact `iss` of a stored issuer. `embeddedIssuer` is the embedded provider's. */
export function issuerUrl(stored: string, urls: { origin: string; embeddedIssuer: string }): string {
  if (stored === EMBEDDED_ISSUER) return urls.embeddedIssuer;
  if (stored === SERVICE_ISSUER) return urls.origin;
  return stored;
}

export async function insertUser(tx: Writer, user: NewRow<"users">): Promise<void> {
  await tx.sql.insert(tx.t.users).values(user);
}

export async function findUser(
  tx: Reader,
  accountId: AccountId,
  userId: UserId,
): Promise<UserRow | undefined> {
  const { users } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(users)
    .where(and(eq(users.accountId, accountId), eq(users.id, userId)));
  return row;
}

/** `issuer` as stored: `EMBEDDED_ISSUER`, `SERVICE_ISSUER`, or another issuer's exact URL. */
export async function findUserByIdentity(
  tx: Reader,
  accountId: AccountId,
  identity: { issuer: string; subject: string },
): Promise<UserRow | undefined> {
  const { users } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(users)
    .where(
      and(
        eq(users.accountId, accountId),
        eq(users.issuer, identity.issuer),
        eq(users.subject, identity.subject),
      ),
    );
  return row;
}

/** In order of creation. */
export function listUsers(tx: Reader, accountId: AccountId): Promise<UserRow[]> {
  const { users } = tx.t;
  return tx.sql
    .select()
    .from(users)
    .where(eq(users.accountId, accountId))
    .orderBy(asc(users.createdAt), asc(users.id));
}

/** Users of all accounts with memberships that have an end. */
export function listUsersWithEnds(tx: Reader): Promise<UserRow[]> {
  const { users } = tx.t;
  return tx.sql.select().from(users).where(isNotNull(users.autoGroupsUntil));
}

/** Those of `userIds` that exist in the account. */
export async function knownUsers(
  tx: Reader,
  accountId: AccountId,
  userIds: readonly UserId[],
): Promise<UserRow[]> {
  const { users } = tx.t;
  const found: UserRow[] = [];
  for (let i = 0; i < userIds.length; i += CHUNK) {
    const ids = userIds.slice(i, i + CHUNK);
    found.push(
      ...(await tx.sql
        .select()
        .from(users)
        .where(and(eq(users.accountId, accountId), inArray(users.id, ids)))),
    );
  }
  return found;
}

/** How many owners can sign in: people who are neither blocked nor waiting for approval. */
export async function countOwners(tx: Reader, accountId: AccountId): Promise<number> {
  const { users } = tx.t;
  const [row] = await tx.sql
    .select({ owners: count() })
    .from(users)
    .where(
      and(
        eq(users.accountId, accountId),
        eq(users.role, "owner"),
        eq(users.isServiceUser, false),
        eq(users.isBlocked, false),
        eq(users.pendingApproval, false),
      ),
    );
  return row?.owners ?? 0;
}

export type UserChange = Partial<
  Pick<
    UserRow,
    | "role"
    | "autoGroups"
    | "autoGroupsUntil"
    | "isBlocked"
    | "pendingApproval"
    | "email"
    | "name"
    | "lastLoginAt"
    | "subject"
  >
>;

export async function updateUser(
  tx: Writer,
  accountId: AccountId,
  userId: UserId,
  change: UserChange,
): Promise<void> {
  const { users } = tx.t;
  await tx.sql
    .update(users)
    .set(change)
    .where(and(eq(users.accountId, accountId), eq(users.id, userId)));
}

/** Deletes a user with their tokens, logins and devices. */
export async function deleteUser(tx: Writer, accountId: AccountId, userId: UserId): Promise<void> {
  const { users } = tx.t;
  await tx.sql.delete(users).where(and(eq(users.accountId, accountId), eq(users.id, userId)));
}

/** Users whose id, e-mail address or name is exactly `who`. */
export function listUsersNamed(
  tx: Reader,
  accountId: AccountId,
  who: string,
): Promise<Pick<UserRow, "id" | "email" | "name">[]> {
  const { users } = tx.t;
  return tx.sql
    .select({ id: users.id, email: users.email, name: users.name })
    .from(users)
    .where(
      and(eq(users.accountId, accountId), or(eq(users.id, who), eq(users.email, who), eq(users.name, who))),
    );
}
