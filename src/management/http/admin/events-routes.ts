/**
 * /api/events/audit: the account's events, newest first, or followed as they happen.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import { AUDIT_PAGE_MAX, AuditQuery } from "../../../wire/admin-query.ts";
import { AuditEvent } from "../../../wire/audit-event.ts";
import { createKeyedCounter, type KeyedCounter } from "../../contracts/keyed-counter.ts";
import type { Row } from "../../db/schema/schema.ts";
import type { Store } from "../../db/store.ts";
import { countEvents, findEventByReceipt, listEvents } from "../../db/tables/audit-events.ts";
import { eventFilterOf } from "./event-filter.ts";
import type { Listing } from "./paging.ts";
import { type Call, type Route, route } from "./route.ts";

/** Waiting requests over all accounts; each holds a connection open. */
const WAITING_MAX = 256;
/** Waiting requests of one person, so that one cannot use up the others' places. */
const WAITING_OF_USER_MAX = 16;
const waiting = new WeakMap<Store, KeyedCounter>();

export const eventRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/events/audit",
    summary: "Audit events, newest first; with after_seq the following ones, oldest first",
    access: "read",
    query: AuditQuery,
    answer: { listOf: AuditEvent },
    also: [409, 429],
    handle: async (call) => {
      const { rows, first, total, seenSeq } = await eventsFor(call);
      const seen = seenSeq === null ? {} : { seen: String(seenSeq) };
      return { items: rows.map(asEvent), total, next: nextEvents(call.query, rows, first), ...seen };
    },
  }),
];

/**
 * Where the next page begins: upwards for a reader that follows the log, else back towards the first event.
 */
function nextEvents(
  { limit = AUDIT_PAGE_MAX, after_seq, receipt }: AuditQuery,
  rows: readonly Row<"auditEvents">[],
  first: number,
): Listing<object>["next"] {
  const last = rows.at(-1);
  if (last === undefined || receipt !== undefined || rows.length < limit) return null;
  if (after_seq !== undefined) return { after_seq: String(last.seq) };
  return last.seq > first ? { cursor: String(last.seq), limit: String(limit) } : null;
}

interface Found {
  readonly rows: readonly Row<"auditEvents">[];
  /** Of the whole log. */
  readonly first: number;
  readonly total: number;
  /** Nothing up to this event is left to be shown. Null: the query does not follow the log. */
  readonly seenSeq: number | null;
}

async function eventsFor(call: Call<undefined, AuditQuery>): Promise<Found> {
  const { after_seq, wait_seconds = 0, receipt } = call.query;
  if (receipt !== undefined) {
    return await call.ctx.store.snapshot(async (tx) => {
      const event = await findEventByReceipt(tx, call.accountId, receipt);
      const rows = event === undefined ? [] : [event];
      return { rows, ...(await countEvents(tx, call.accountId)), seenSeq: null };
    });
  }
  if (after_seq === undefined || wait_seconds === 0) return await ask(call, after_seq);
  const heard = listen(call, after_seq, wait_seconds * 1000);
  try {
    // Listening begins before the first look, so no event falls between the two.
    const now = await ask(call, after_seq);
    if (now.rows.length > 0) return now;
    await heard.news;
    // Those that the first look passed over do not fit.
    return await ask(call, now.seenSeq ?? after_seq);
  } finally {
    heard.stop();
  }
}

/** Events and the end of the log at one moment, so that none is between the two. */
function ask(call: Call<undefined, AuditQuery>, afterSeq: number | undefined): Promise<Found> {
  const { accountId, query } = call;
  const { limit = AUDIT_PAGE_MAX, cursor, before_seq: beforeSeq = cursor } = query;
  return call.ctx.store.snapshot(async (tx) => {
    const filter = await eventFilterOf(tx, accountId, query);
    const { first, total } = await countEvents(tx, accountId);
    const end = Math.max(first + total - 1, afterSeq ?? 0);
    if (afterSeq === undefined) {
      const page = { limit, ...(beforeSeq === undefined ? {} : { beforeSeq }) };
      const rows = await listEvents(tx, accountId, page, filter);
      return { rows, first, total, seenSeq: beforeSeq === undefined ? end : null };
    }
    const rows = await listEvents(tx, accountId, { limit, afterSeq }, filter);
    const last = rows.length < limit ? undefined : rows.at(-1);
    return { rows, first, total, seenSeq: last?.seq ?? end };
  });
}

/**
 * `news` resolves with the first event above `afterSeq`, at the time limit, or when the caller disconnects.
 */
function listen(
  call: Call<unknown, unknown>,
  afterSeq: number,
  timeoutMs: number,
): { news: Promise<void>; stop: () => void } {
  const { store } = call.ctx;
  const userId = call.user.id;
  const now = waiting.get(store) ?? createKeyedCounter(WAITING_MAX, WAITING_OF_USER_MAX);
  waiting.set(store, now);
  if (now.isFull(userId)) {
    throw new QfError("ERR_TOO_MANY", "too many wait for audit events", { hint: "ask without wait_seconds" });
  }
  now.enter(userId);
  const { promise, resolve } = Promise.withResolvers<void>();
  const unsubscribe = store.onAudit((accountId, seq) => {
    if (accountId === call.accountId && seq > afterSeq) resolve();
  });
  const timer = setTimeout(resolve, timeoutMs);
  call.signal.addEventListener("abort", () => resolve(), { once: true });
  const stop = (): void => {
    now.leave(userId);
    clearTimeout(timer);
    unsubscribe();
  };
  return { news: promise, stop };
}

function asEvent(row: Row<"auditEvents">): AuditEvent {
  return {
    id: String(row.seq),
    timestamp: new Date(row.atMs).toISOString(),
    activity: sentenceOf(row.activity),
    activity_code: row.activity,
    initiator_id: row.initiatorId,
    initiator_name: row.initiatorName,
    initiator_email: row.initiatorEmail,
    target_id: row.targetId,
    meta: row.meta,
    ...(row.data === null ? {} : { data: row.data }),
  };
}

/** `user.role.update` → `User role update`. For people; tools read the code. */
function sentenceOf(code: string): string {
  const words = code.replaceAll(".", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
