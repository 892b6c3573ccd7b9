/**
 * /api/events/audit: the account's events, newest first, or followed as they happen.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import { AUDIT_PAGE_MAX, AuditQuery } from "../../../wire/admin-query.ts";
import { AuditEvent } from "../../../wire/audit-event.ts";
import { type AccountId, Id, type PeerId } from "../../../wire/units.ts";
import { createKeyedCounter, type KeyedCounter } from "../../contracts/keyed-counter.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import type { Row } from "../../db/schema/schema.ts";
import type { Store } from "../../db/store.ts";
import {
  countEvents,
  type EventFilter,
  findEventByReceipt,
  listEvents,
} from "../../db/tables/audit-events.ts";
import { listPeersByName } from "../../db/tables/peer-names.ts";
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
    also: [429],
    handle: async (call) => {
      const rows = await eventsFor(call);
      const { first, total } = await call.read((tx) => countEvents(tx, call.accountId));
      return { items: rows.map(asEvent), total, next: nextEvents(call.query, rows, first) };
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

async function eventsFor(call: Call<undefined, AuditQuery>): Promise<Row<"auditEvents">[]> {
  const { limit = AUDIT_PAGE_MAX, after_seq, cursor, wait_seconds = 0, receipt } = call.query;
  const before_seq = cursor ?? call.query.before_seq;
  if (receipt !== undefined) {
    const event = await call.read((tx) => findEventByReceipt(tx, call.accountId, receipt));
    return event === undefined ? [] : [event];
  }
  if (after_seq === undefined) {
    const page = { limit, ...(before_seq === undefined ? {} : { beforeSeq: before_seq }) };
    return call.read(async (tx) => listEvents(tx, call.accountId, page, await filterOf(tx, call)));
  }
  const page = { limit, afterSeq: after_seq };
  const ask = () => call.read(async (tx) => listEvents(tx, call.accountId, page, await filterOf(tx, call)));
  if (wait_seconds === 0) return ask();
  const heard = listen(call, after_seq, wait_seconds * 1000);
  try {
    // Listening begins before the first look, so no event falls between the two.
    const now = await ask();
    if (now.length > 0) return now;
    await heard.news;
    return await ask();
  } finally {
    heard.stop();
  }
}

async function filterOf(tx: Reader, { accountId, query }: Call<undefined, AuditQuery>): Promise<EventFilter> {
  const { user, machine, activity, since, until } = query;
  return {
    user,
    peerIds: machine === undefined ? undefined : await peerIdsOf(tx, accountId, machine),
    activity,
    sinceMs: since === undefined ? undefined : Date.parse(since),
    untilMs: until === undefined ? undefined : Date.parse(until),
  };
}

/** An unknown id is used as given, since the peer may be deleted. */
async function peerIdsOf(tx: Reader, accountId: AccountId, machine: string): Promise<PeerId[]> {
  const named = await listPeersByName(tx, accountId, machine);
  return Id.safeParse(machine).success ? [machine, ...named] : named;
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
