/**
 * SSH connections: a row for each opening event, completed by the closing one.
 *
 * Rows are written in the transaction that stores the events. What happened inside a connection is in the
 * audit log.
 *
 * @module
 */
import {
  and,
  asc,
  type Column,
  count,
  desc,
  eq,
  gte,
  inArray,
  isNotNull,
  isNull,
  lt,
  notInArray,
  or,
  type SQL,
} from "drizzle-orm";
import { printable } from "../../../base/printable.ts";
import type { AgentEventBody } from "../../../wire/audit-event.ts";
import type { AccountId, PeerId, UserId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";

export type SshSessionRow = Row<"sshSessions">;

/** Ids in one query, to stay below the database's limit on parameters. */
const CHUNK = 500;

type Opening = Extract<AgentEventBody, { type: "connection.open" }>;
type Closing = Extract<AgentEventBody, { type: "connection.close" }>;

/** Where and when a session was seen, and the current names of its person and machine. */
export type SeenAt = Pick<
  NewRow<"sshSessions">,
  "peerId" | "accountId" | "userName" | "machineName" | "openedAtMs"
>;

/** Records a connection's start. A second opening of the same id on the same machine changes nothing. */
export async function insertSshSession(tx: Writer, opening: Opening, seen: SeenAt): Promise<void> {
  const { connectionId, userId, devicePeerId, localUser, path, ruleId, accessReason, offline } = opening;
  await tx.sql
    .insert(tx.t.sshSessions)
    .values({
      ...seen,
      ...{ connectionId, userId, devicePeerId, localUser, path, ruleId },
      // Text columns do not accept every string that JSON does.
      sourceAddress: plain(opening.sourceAddress),
      clientVersion: plain(opening.clientVersion),
      accessReason: accessReason === undefined ? null : plain(accessReason),
      offline: offline === true,
    })
    .onConflictDoNothing();
}

function plain(text: string): string {
  return printable(text.toWellFormed());
}

/** Records a connection's end. The first end counts. */
export async function closeSshSession(
  tx: Writer,
  closing: Closing,
  { peerId, closedAtMs }: { readonly peerId: PeerId; readonly closedAtMs: number },
): Promise<void> {
  const { sshSessions: s } = tx.t;
  const { connectionId, reason, bytesIn, bytesOut } = closing;
  await tx.sql
    .update(s)
    .set({ closedAtMs, endReason: reason, bytesIn, bytesOut })
    .where(and(eq(s.peerId, peerId), eq(s.connectionId, connectionId), isNull(s.closedAtMs)));
}

/** Which sessions to list. All conditions must hold. */
export interface SshSessionFilter {
  /** Sessions of one of these people, or stored under this name. */
  readonly user?: { readonly ids: readonly UserId[]; readonly name?: string } | undefined;
  readonly peers?: { readonly ids: readonly PeerId[]; readonly name?: string } | undefined;
  readonly localUser?: string | undefined;
  /** Sessions still open at that time or later. */
  readonly sinceMs?: number | undefined;
  /** Sessions that began before it. */
  readonly untilMs?: number | undefined;
  readonly closed?: boolean | undefined;
}

/** A place in the list: after this session. */
export interface SshSessionPlace {
  readonly openedAtMs: number;
  readonly connectionId: string;
}

/** Newest first. */
export function listSshSessions(
  tx: Reader,
  accountId: AccountId,
  filter: SshSessionFilter,
  page: { readonly limit: number; readonly after: SshSessionPlace | null },
): Promise<SshSessionRow[]> {
  const { sshSessions: s } = tx.t;
  const { after } = page;
  const behind =
    after === null
      ? undefined
      : or(
          lt(s.openedAtMs, after.openedAtMs),
          and(eq(s.openedAtMs, after.openedAtMs), lt(s.connectionId, after.connectionId)),
        );
  return tx.sql
    .select()
    .from(s)
    .where(and(eq(s.accountId, accountId), ...conditionsOf(tx, filter), behind))
    .orderBy(desc(s.openedAtMs), desc(s.connectionId))
    .limit(page.limit);
}

export async function countSshSessions(
  tx: Reader,
  accountId: AccountId,
  filter: SshSessionFilter,
): Promise<number> {
  const { sshSessions: s } = tx.t;
  const [row] = await tx.sql
    .select({ sessions: count() })
    .from(s)
    .where(and(eq(s.accountId, accountId), ...conditionsOf(tx, filter)));
  return row?.sessions ?? 0;
}

function conditionsOf(tx: Reader, filter: SshSessionFilter) {
  const { sshSessions: s } = tx.t;
  const { user, peers, localUser, sinceMs, untilMs, closed } = filter;
  return [
    user === undefined ? undefined : eitherOf(inArray(s.userId, [...user.ids]), s.userName, user.name),
    peers === undefined ? undefined : eitherOf(inArray(s.peerId, [...peers.ids]), s.machineName, peers.name),
    localUser === undefined ? undefined : eq(s.localUser, localUser),
    sinceMs === undefined ? undefined : or(isNull(s.closedAtMs), gte(s.closedAtMs, sinceMs)),
    untilMs === undefined ? undefined : lt(s.openedAtMs, untilMs),
    closed === undefined ? undefined : closed ? isNotNull(s.closedAtMs) : isNull(s.closedAtMs),
  ];
}

function eitherOf(isOne: SQL, column: Column, name: string | undefined): SQL | undefined {
  return name === undefined ? isOne : or(isOne, eq(column, name));
}

/** Those of `connectionIds` that are stored, of any machine of the account. */
export async function findSshSessions(
  tx: Reader,
  accountId: AccountId,
  connectionIds: readonly string[],
): Promise<SshSessionRow[]> {
  const { sshSessions: s } = tx.t;
  const found: SshSessionRow[] = [];
  for (let i = 0; i < connectionIds.length; i += CHUNK) {
    const some = connectionIds.slice(i, i + CHUNK);
    found.push(
      ...(await tx.sql
        .select()
        .from(s)
        .where(and(eq(s.accountId, accountId), inArray(s.connectionId, some)))),
    );
  }
  return found;
}

/** The first `limit` events that a connection's machine and management recorded about it, in order. */
export function listConnectionEvents(
  tx: Reader,
  of: { readonly accountId: AccountId; readonly peerId: PeerId; readonly connectionId: string },
  limit: number,
): Promise<Row<"auditEvents">[]> {
  const { auditEvents: e } = tx.t;
  return tx.sql
    .select()
    .from(e)
    .where(
      and(
        eq(e.connectionId, of.connectionId),
        eq(e.accountId, of.accountId),
        or(eq(e.agentPeerId, of.peerId), and(isNull(e.agentPeerId), eq(e.targetId, of.peerId))),
      ),
    )
    .orderBy(asc(e.seq))
    .limit(limit);
}

/** Deletes sessions all of whose events happened before `beforeMs`. */
export async function deleteSshSessionsBefore(
  tx: Writer,
  accountId: AccountId,
  beforeMs: number,
): Promise<void> {
  const { sshSessions: s } = tx.t;
  await tx.sql
    .delete(s)
    .where(
      and(
        eq(s.accountId, accountId),
        lt(s.openedAtMs, beforeMs),
        or(isNull(s.closedAtMs), lt(s.closedAtMs, beforeMs)),
      ),
    );
}

/** Deletes sessions of deleted accounts, all of whose events happened before `beforeMs`. */
export async function deleteSshSessionsOfGone(tx: Writer, beforeMs: number): Promise<void> {
  const { sshSessions: s, accounts } = tx.t;
  const known = tx.sql.select({ id: accounts.id }).from(accounts);
  await tx.sql
    .delete(s)
    .where(
      and(
        notInArray(s.accountId, known),
        lt(s.openedAtMs, beforeMs),
        or(isNull(s.closedAtMs), lt(s.closedAtMs, beforeMs)),
      ),
    );
}
