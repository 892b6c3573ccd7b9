/**
 * An account's audit log: numbered without gaps, appended to in the transaction of what it tells.
 *
 * @module
 */
import { and, asc, desc, eq, gt, lt, max } from "drizzle-orm";
import { newId } from "../../../base/random.ts";
import type { ActivityCode } from "../../../wire/audit-event.ts";
import type { AccountId, PeerId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { Row } from "../schema/schema.ts";

/** Who did it. */
export interface Initiator {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

/** Management itself. */
export const systemInitiator: Initiator = { id: "sys", name: "system", email: "" };

export interface NewEvent {
  readonly activity: ActivityCode;
  /** Id of what it happened to; empty for none. */
  readonly targetId: string;
  /** Short facts for people. Never a secret. */
  readonly meta?: Readonly<Record<string, string>>;
  /** The typed body, where there is one. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Who, if not the initiator of the whole change. */
  readonly initiator?: Initiator;
  /** When it happened, if not now. Unix milliseconds. */
  readonly atMs?: number;
  /** The machine that saw it, and its own number of it. */
  readonly agent?: { readonly peerId: PeerId; readonly seq: number };
  readonly receipt?: string;
}

/** Rows of one INSERT: keeps it below the database's bound on parameters. */
const INSERT_ROWS_MAX = 100;

/** Appends `events` in order. Returns the last one's number, undefined when there are none. */
export async function appendEvents(
  tx: Writer,
  accountId: AccountId,
  initiator: Initiator,
  events: readonly NewEvent[],
): Promise<number | undefined> {
  if (events.length === 0) return undefined;
  const { auditEvents } = tx.t;
  const first = await takeNumbers(tx, accountId, events.length);
  const storedAtMs = tx.clock.nowMs();
  const rows = events.map((event, i) => {
    const by = event.initiator ?? initiator;
    return {
      id: newId(),
      accountId,
      seq: first + i,
      atMs: event.atMs ?? storedAtMs,
      storedAtMs,
      activity: event.activity,
      initiatorId: by.id,
      initiatorName: by.name,
      initiatorEmail: by.email,
      targetId: event.targetId,
      meta: { ...event.meta },
      data: event.data === undefined ? null : { ...event.data },
      agentPeerId: event.agent?.peerId ?? null,
      agentSeq: event.agent?.seq ?? null,
      receipt: event.receipt ?? null,
    };
  });
  for (let i = 0; i < rows.length; i += INSERT_ROWS_MAX) {
    await tx.sql.insert(auditEvents).values(rows.slice(i, i + INSERT_ROWS_MAX));
  }
  return first + events.length - 1;
}

async function takeNumbers(tx: Writer, accountId: AccountId, count: number): Promise<number> {
  const { accounts, auditEvents } = tx.t;
  const [account] = await tx.sql
    .select({ next: accounts.nextAuditSeq })
    .from(accounts)
    .where(eq(accounts.id, accountId));
  if (account === undefined) {
    // The account was deleted in this very transaction; its history goes on.
    const [last] = await tx.sql
      .select({ seq: max(auditEvents.seq) })
      .from(auditEvents)
      .where(eq(auditEvents.accountId, accountId));
    return (last?.seq ?? 0) + 1;
  }
  await tx.sql
    .update(accounts)
    .set({ nextAuditSeq: account.next + count })
    .where(eq(accounts.id, accountId));
  return account.next;
}

/** Newest first, or from `afterSeq` on in order of happening. */
export function listEvents(
  tx: Reader,
  accountId: AccountId,
  page: { limit: number; afterSeq?: number; beforeSeq?: number },
): Promise<Row<"auditEvents">[]> {
  const { auditEvents } = tx.t;
  const ours = eq(auditEvents.accountId, accountId);
  if (page.afterSeq !== undefined) {
    return tx.sql
      .select()
      .from(auditEvents)
      .where(and(ours, gt(auditEvents.seq, page.afterSeq)))
      .orderBy(asc(auditEvents.seq))
      .limit(page.limit);
  }
  const before = page.beforeSeq === undefined ? undefined : lt(auditEvents.seq, page.beforeSeq);
  return tx.sql
    .select()
    .from(auditEvents)
    .where(and(ours, before))
    .orderBy(desc(auditEvents.seq))
    .limit(page.limit);
}

/** How many events there are, and the number of the oldest: they are numbered without gaps. */
export async function countEvents(
  tx: Reader,
  accountId: AccountId,
): Promise<{ first: number; total: number }> {
  const { auditEvents } = tx.t;
  const end = async (order: typeof asc): Promise<number | undefined> => {
    const ours = eq(auditEvents.accountId, accountId);
    const events = tx.sql.select({ seq: auditEvents.seq }).from(auditEvents).where(ours);
    return (await events.orderBy(order(auditEvents.seq)).limit(1))[0]?.seq;
  };
  const [first, last] = [await end(asc), await end(desc)];
  return first === undefined || last === undefined
    ? { first: 0, total: 0 }
    : { first, total: last - first + 1 };
}

/** The denial that a receipt names. */
export async function findEventByReceipt(
  tx: Reader,
  accountId: AccountId,
  receipt: string,
): Promise<Row<"auditEvents"> | undefined> {
  const { auditEvents } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(auditEvents)
    .where(and(eq(auditEvents.accountId, accountId), eq(auditEvents.receipt, receipt)));
  return row;
}
