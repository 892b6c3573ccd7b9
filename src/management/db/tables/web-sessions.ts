/**
 * Sign-ins to the dashboard: looked up by digest, listed for their person, ended singly or all at once.
 *
 * @module
 */
import { and, asc, eq, gt, lte, ne, or } from "drizzle-orm";
import { nowSeconds } from "../../../base/clock.ts";
import { sha256 } from "../../../base/random.ts";
import type { AccountId, UserId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";
import type { UserRow } from "./users.ts";

export type WebSessionRow = Row<"webSessions">;

/** A session ends after this long, however busy it is. */
export const WEB_SESSION_SECONDS = 12 * 3600;
/** A session ends after this long without a request. */
export const WEB_SESSION_IDLE_SECONDS = 3600;

/** A page is warned this long before the end. */
const WARNING_SECONDS = 300;

/** The near end of a session. */
export interface WebSessionEnding {
  readonly seconds_left: number;
  /** Whether a request postpones it. */
  readonly may_extend: boolean;
}

/** The session's end, if it is near. Null: it is not. */
export function webSessionEnding(
  { lastSeenAt, expiresAt }: Pick<WebSessionRow, "lastSeenAt" | "expiresAt">,
  now: number,
): WebSessionEnding | null {
  const idleAt = lastSeenAt + WEB_SESSION_IDLE_SECONDS;
  const seconds_left = Math.min(idleAt, expiresAt) - now;
  return seconds_left > WARNING_SECONDS ? null : { seconds_left, may_extend: idleAt < expiresAt };
}

/** The stored digest. */
export function hashWebSession(secret: string): string {
  return sha256(`qufabric/web-session/${secret}`);
}

export async function insertWebSession(tx: Writer, session: NewRow<"webSessions">): Promise<void> {
  await tx.sql.insert(tx.t.webSessions).values(session);
}

/** The live session and its user. The caller checks the user's state. */
export async function findWebSession(
  tx: Reader,
  by: { readonly secret: string } | { readonly id: string },
): Promise<{ session: WebSessionRow; user: UserRow } | undefined> {
  const { webSessions, users } = tx.t;
  const now = nowSeconds(tx.clock);
  const [row] = await tx.sql
    .select({ session: webSessions, user: users })
    .from(webSessions)
    .innerJoin(users, eq(users.id, webSessions.userId))
    .where(
      and(
        "id" in by ? eq(webSessions.id, by.id) : eq(webSessions.hash, hashWebSession(by.secret)),
        gt(webSessions.expiresAt, now),
        gt(webSessions.lastSeenAt, now - WEB_SESSION_IDLE_SECONDS),
      ),
    );
  return row;
}

/** Live ones, oldest first. */
export function listWebSessions(tx: Reader, accountId: AccountId, userId: UserId): Promise<WebSessionRow[]> {
  const { webSessions } = tx.t;
  const now = nowSeconds(tx.clock);
  return tx.sql
    .select()
    .from(webSessions)
    .where(
      and(
        eq(webSessions.accountId, accountId),
        eq(webSessions.userId, userId),
        gt(webSessions.expiresAt, now),
        gt(webSessions.lastSeenAt, now - WEB_SESSION_IDLE_SECONDS),
      ),
    )
    .orderBy(asc(webSessions.createdAt), asc(webSessions.id));
}

export async function markWebSessionSeen(tx: Writer, id: string): Promise<void> {
  const { webSessions } = tx.t;
  await tx.sql
    .update(webSessions)
    .set({ lastSeenAt: nowSeconds(tx.clock) })
    .where(eq(webSessions.id, id));
}

/** Replaces a session's secret and times. Drops an unused confirmation. */
export async function renewWebSession(
  tx: Writer,
  id: string,
  session: Omit<NewRow<"webSessions">, "id" | "accountId" | "userId">,
): Promise<void> {
  const { webSessions } = tx.t;
  await tx.sql
    .update(webSessions)
    .set({ ...session, confirmedDigest: null })
    .where(eq(webSessions.id, id));
}

/** Records the request that the session was refused. Replaces an earlier one. */
export async function noteAsked(
  tx: Writer,
  id: string,
  { digest, facts }: { readonly digest: string; readonly facts: WebSessionRow["askedFacts"] },
): Promise<void> {
  const { webSessions } = tx.t;
  await tx.sql
    .update(webSessions)
    .set({ askedDigest: digest, askedFacts: facts })
    .where(eq(webSessions.id, id));
}

/** Confirms the recorded request. False: another one is recorded, or none. */
export async function confirmAsked(tx: Writer, id: string, digest: string): Promise<boolean> {
  const { webSessions } = tx.t;
  const done = await tx.sql
    .update(webSessions)
    .set({ askedDigest: null, askedFacts: null, confirmedDigest: digest })
    .where(and(eq(webSessions.id, id), eq(webSessions.askedDigest, digest)))
    .returning({ id: webSessions.id });
  return done.length > 0;
}

/** Uses up the confirmation of that request. False: there is none. */
export async function takeConfirmation(tx: Writer, id: string, digest: string): Promise<boolean> {
  const { webSessions } = tx.t;
  const taken = await tx.sql
    .update(webSessions)
    .set({ confirmedDigest: null })
    .where(and(eq(webSessions.id, id), eq(webSessions.confirmedDigest, digest)))
    .returning({ id: webSessions.id });
  return taken.length > 0;
}

/** Returns whether the session existed. */
export async function deleteWebSession(tx: Writer, userId: UserId, id: string): Promise<boolean> {
  const { webSessions } = tx.t;
  const gone = await tx.sql
    .delete(webSessions)
    .where(and(eq(webSessions.userId, userId), eq(webSessions.id, id)))
    .returning({ id: webSessions.id });
  return gone.length > 0;
}

/** Ends all sessions of a person but `except`. Returns how many. */
export async function deleteWebSessionsOf(tx: Writer, userId: UserId, except?: string): Promise<number> {
  const { webSessions } = tx.t;
  const gone = await tx.sql
    .delete(webSessions)
    .where(and(eq(webSessions.userId, userId), except === undefined ? undefined : ne(webSessions.id, except)))
    .returning({ id: webSessions.id });
  return gone.length;
}

/** Deletes sessions that are over. */
export async function deleteWebSessionsOver(tx: Writer): Promise<void> {
  const { webSessions } = tx.t;
  const now = nowSeconds(tx.clock);
  await tx.sql
    .delete(webSessions)
    .where(or(lte(webSessions.expiresAt, now), lte(webSessions.lastSeenAt, now - WEB_SESSION_IDLE_SECONDS)));
}
