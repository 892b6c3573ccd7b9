/**
 * An account's audit log, numbered without gaps. Events are stored in the transaction of the change that they
 * report, together with their leaves in the account's Merkle tree (`log-tree.ts`).
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { and, asc, between, desc, eq, gt, gte, inArray, lt, max, min, or } from "drizzle-orm";
import { newId } from "../../../base/random.ts";
import { asStored } from "../../../log/canonical-json.ts";
import type { ActivityCode } from "../../../wire/audit-event.ts";
import { type AccountId, Id, type PeerId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { Row } from "../schema/schema.ts";
import { extendTree, findHead } from "./log-tree.ts";

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
  /** Id of the object it happened to. Empty: none. */
  readonly targetId: string;
  /** Short facts for people. Never a secret. */
  readonly meta?: Readonly<Record<string, string>>;
  /** The typed body. Absent: none. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Absent: the initiator of the whole change. */
  readonly initiator?: Initiator;
  /** When it happened, Unix milliseconds. Absent: now. */
  readonly atMs?: number;
  /** The machine that reported it, and that machine's number for it. */
  readonly agent?: { readonly peerId: PeerId; readonly seq: number };
  /** The machine's salt of an event in a signed batch. Absent: management makes one. */
  readonly salt?: string;
  readonly receipt?: string;
}

/** Rows in one INSERT, to stay below the database's limit on parameters. */
const INSERT_ROWS_MAX = 100;

/** Appends `events` in order. Returns the number of the last one. Undefined: there are none. */
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
  const rows = events.map((event, i) =>
    asStored(
      rowOf(event, { accountId, seq: first + i, storedAtMs, initiator: event.initiator ?? initiator }),
    ),
  );
  for (let i = 0; i < rows.length; i += INSERT_ROWS_MAX) {
    await tx.sql.insert(auditEvents).values(rows.slice(i, i + INSERT_ROWS_MAX));
  }
  await extendTree(tx, accountId, rows);
  return first + events.length - 1;
}

function rowOf(
  event: NewEvent,
  at: { accountId: AccountId; seq: number; storedAtMs: number; initiator: Initiator },
): Row<"auditEvents"> {
  const { accountId, seq, storedAtMs, initiator } = at;
  return {
    id: newId(),
    accountId,
    seq,
    atMs: event.atMs ?? storedAtMs,
    storedAtMs,
    activity: event.activity,
    initiatorId: initiator.id,
    initiatorName: initiator.name,
    initiatorEmail: initiator.email,
    targetId: event.targetId,
    meta: { ...event.meta },
    data: event.data === undefined ? null : { ...event.data },
    agentPeerId: event.agent?.peerId ?? null,
    agentSeq: event.agent?.seq ?? null,
    receipt: event.receipt ?? null,
    salt: event.salt ?? randomBytes(16).toString("base64url"),
    connectionId: connectionOf(event.data),
  };
}

function connectionOf(data: NewEvent["data"]): string | null {
  const id = Id.safeParse(data?.connectionId);
  return id.success ? id.data : null;
}

async function takeNumbers(tx: Writer, accountId: AccountId, count: number): Promise<number> {
  const { accounts, auditEvents } = tx.t;
  const [account] = await tx.sql
    .select({ next: accounts.nextAuditSeq })
    .from(accounts)
    .where(eq(accounts.id, accountId));
  if (account === undefined) {
    // The account was deleted in this transaction. Its history goes on.
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

/** Which events to list. All conditions must hold. */
export interface EventFilter {
  /** The initiator by one of these, or by any of them. */
  readonly user?: { readonly by: "id" | "email" | "name" | "any"; readonly text: string } | undefined;
  /** Peers that reported the event or that it happened to. */
  readonly peerIds?: readonly PeerId[] | undefined;
  /** A code, or a prefix of codes followed by `.*`. */
  readonly activity?: string | undefined;
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

/** Newest first, or, with `afterSeq`, those after it in order of their numbers. */
export function listEvents(
  tx: Reader,
  accountId: AccountId,
  page: { limit: number; afterSeq?: number; beforeSeq?: number },
  filter: EventFilter = {},
): Promise<Row<"auditEvents">[]> {
  const { auditEvents } = tx.t;
  const ours = and(eq(auditEvents.accountId, accountId), ...conditionsOf(tx, filter));
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

function conditionsOf(tx: Reader, { user, peerIds, activity, sinceMs, untilMs }: EventFilter) {
  const { auditEvents: e } = tx.t;
  const prefix = activity?.endsWith(".*") === true ? activity.slice(0, -1) : undefined;
  return [
    user === undefined ? undefined : initiatorIs(tx, user),
    peerIds === undefined
      ? undefined
      : or(inArray(e.agentPeerId, [...peerIds]), inArray(e.targetId, [...peerIds])),
    // A range instead of LIKE, since a code is not a pattern. "/" comes right after ".".
    prefix === undefined
      ? undefined
      : and(gte(e.activity, asCode(prefix)), lt(e.activity, asCode(`${prefix.slice(0, -1)}/`))),
    activity === undefined || prefix !== undefined ? undefined : eq(e.activity, asCode(activity)),
    sinceMs === undefined ? undefined : gte(e.atMs, sinceMs),
    untilMs === undefined ? undefined : lt(e.atMs, untilMs),
  ];
}

function initiatorIs(tx: Reader, { by, text }: NonNullable<EventFilter["user"]>) {
  const { initiatorId, initiatorEmail, initiatorName } = tx.t.auditEvents;
  if (by === "any") return or(eq(initiatorId, text), eq(initiatorEmail, text), eq(initiatorName, text));
  return eq({ id: initiatorId, email: initiatorEmail, name: initiatorName }[by], text);
}

/** Any text may be compared. Text that is not a code matches nothing. */
function asCode(text: string): ActivityCode {
  return text as ActivityCode;
}

/** Events `first` through `last` whose bodies are still stored, in order. */
export function listEventRange(
  tx: Reader,
  accountId: AccountId,
  first: number,
  last: number,
): Promise<Row<"auditEvents">[]> {
  const { auditEvents } = tx.t;
  return tx.sql
    .select()
    .from(auditEvents)
    .where(and(eq(auditEvents.accountId, accountId), between(auditEvents.seq, first, last)))
    .orderBy(asc(auditEvents.seq));
}

/** The numbers of the first and the last event in a span of time. Undefined: there are none. */
export async function findSpan(
  tx: Reader,
  accountId: AccountId,
  { sinceMs = 0, untilMs = Number.MAX_SAFE_INTEGER }: { sinceMs?: number; untilMs?: number },
): Promise<{ first: number; last: number } | undefined> {
  const { auditEvents } = tx.t;
  const at = and(gte(auditEvents.atMs, sinceMs), lt(auditEvents.atMs, untilMs));
  const [span] = await tx.sql
    .select({ first: min(auditEvents.seq), last: max(auditEvents.seq) })
    .from(auditEvents)
    .where(and(eq(auditEvents.accountId, accountId), at));
  return span === undefined || span.first === null || span.last === null
    ? undefined
    : { first: span.first, last: span.last };
}

/** How many events are stored, and the number of the oldest. Numbers have no gaps. */
export async function countEvents(
  tx: Reader,
  accountId: AccountId,
): Promise<{ first: number; total: number }> {
  const { auditEvents } = tx.t;
  // Only events after those that retention removed. The few that it leaves are not counted.
  const pruned = (await findHead(tx, accountId))?.prunedThrough ?? 0;
  const end = async (order: typeof asc): Promise<number | undefined> => {
    const ours = and(eq(auditEvents.accountId, accountId), gt(auditEvents.seq, pruned));
    const events = tx.sql.select({ seq: auditEvents.seq }).from(auditEvents).where(ours);
    return (await events.orderBy(order(auditEvents.seq)).limit(1))[0]?.seq;
  };
  const [first, last] = [await end(asc), await end(desc)];
  return first === undefined || last === undefined
    ? { first: 0, total: 0 }
    : { first, total: last - first + 1 };
}

/** The denial with this receipt. */
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
