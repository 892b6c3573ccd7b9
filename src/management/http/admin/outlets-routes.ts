/**
 * /api/audit-streams: targets that receive every entry of the account's log. /api/notifications: channels
 * that notify people.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import { Empty, NoQuery, PageQuery } from "../../../wire/admin-query.ts";
import {
  AuditStream,
  AuditStreamWrite,
  type ChannelTarget,
  NotificationChannel,
  NotificationChannelWrite,
  OutletTest,
} from "../../../wire/outlet-api.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import type { StoredTarget } from "../../db/schema/outlets.ts";
import { findOutlet, listOutlets, type OutletRow } from "../../db/tables/log-outlets.ts";
import { mayCall, notFound } from "./access.ts";
import {
  asChannel,
  asOutlet,
  changeOutlet,
  endOutlet,
  makeOutlet,
  nextSeqOf,
  outletMeta,
  withHostOnly,
} from "./outlets-view.ts";
import { listingById } from "./paging.ts";
import { type Call, type Route, route } from "./route.ts";

const STREAMS = "/api/audit-streams";
const CHANNELS = "/api/notifications";

const streamRoutes: readonly Route[] = [
  route({
    method: "get",
    path: STREAMS,
    summary: "Streams of the audit log to other systems, and how far each has come",
    access: "read",
    query: PageQuery,
    answer: { listOf: AuditStream },
    handle: (call) => listed(call, "stream", asOutlet),
  }),
  route({
    method: "post",
    path: STREAMS,
    summary: "Makes a stream; a webhook's signing secret is in this answer only",
    access: "owner",
    query: NoQuery,
    body: AuditStreamWrite,
    answer: { one: AuditStream },
    also: [409],
    handle: (call) =>
      call.change({}, async (tx) => {
        const { name, enabled, target, from } = call.body;
        const wanted = { purpose: "stream" as const, name, enabled, target, topics: [], secret: null };
        const made = await makeOutlet(tx, call, { ...wanted, fromBeginning: from === "beginning" });
        const { row, secret } = made;
        tx.record({ activity: "audit.stream.create", targetId: row.id, meta: outletMeta(row) });
        return asOutlet(row, await nextSeqOf(tx, call.accountId), secret);
      }),
  }),
  route({
    method: "get",
    path: `${STREAMS}/:streamId`,
    summary: "One stream",
    access: "read",
    query: NoQuery,
    answer: { one: AuditStream },
    handle: (call) => shown(call, "stream", asOutlet),
  }),
  route({
    method: "put",
    path: `${STREAMS}/:streamId`,
    summary: "Changes a stream; its old address gets the event that says so",
    access: "owner",
    query: NoQuery,
    body: AuditStreamWrite,
    answer: { one: AuditStream },
    also: [409],
    handle: (call) =>
      call.change({}, async (tx) => {
        const { name, enabled, target, rotate_secret: rotateSecret } = call.body;
        const change = { name, enabled, target, topics: [], secret: null, rotateSecret };
        const { row, secret } = await changeOutlet(tx, call, {
          row: await outletOf(tx, call, "stream"),
          change,
        });
        tx.record({ activity: "audit.stream.update", targetId: row.id, meta: outletMeta(row) });
        return asOutlet(row, await nextSeqOf(tx, call.accountId), secret);
      }),
  }),
  route({
    method: "delete",
    path: `${STREAMS}/:streamId`,
    summary: "Ends a stream, with the event that says so as its last entry",
    access: "owner",
    query: NoQuery,
    answer: { one: Empty },
    handle: (call) => ended(call, "stream", "audit.stream.delete"),
  }),
  route({
    method: "post",
    path: `${STREAMS}/:streamId/test`,
    summary: "Sends a test to a stream's address, and says whether it has arrived",
    access: "owner",
    query: NoQuery,
    answer: { one: OutletTest },
    handle: (call) => tested(call, "stream"),
  }),
];

const channelRoutes: readonly Route[] = [
  route({
    method: "get",
    path: CHANNELS,
    summary: "Channels on which people are told of what happens",
    access: "read",
    query: PageQuery,
    answer: { listOf: NotificationChannel },
    handle: (call) => listed(call, "notices", asChannel),
  }),
  route({
    method: "post",
    path: CHANNELS,
    summary: "Makes a channel; a webhook's signing secret is in this answer only",
    access: "write",
    query: NoQuery,
    body: NotificationChannelWrite,
    answer: { one: NotificationChannel },
    also: [409, 412],
    handle: (call) =>
      call.change({}, async (tx) => {
        const { name, enabled, topics } = call.body;
        const at = storedOf(call.body.target, null);
        requireMail(call, at.target);
        const wanted = { purpose: "notices" as const, name, enabled, topics: [...new Set(topics)], ...at };
        const { row, secret } = await makeOutlet(tx, call, { ...wanted, fromBeginning: false });
        tx.record({ activity: "notification.create", targetId: row.id, meta: outletMeta(row) });
        return asChannel(row, await nextSeqOf(tx, call.accountId), secret);
      }),
  }),
  route({
    method: "get",
    path: `${CHANNELS}/:channelId`,
    summary: "One channel",
    access: "read",
    query: NoQuery,
    answer: { one: NotificationChannel },
    handle: (call) => shown(call, "notices", asChannel),
  }),
  route({
    method: "put",
    path: `${CHANNELS}/:channelId`,
    summary: "Changes a channel",
    access: "write",
    query: NoQuery,
    body: NotificationChannelWrite,
    answer: { one: NotificationChannel },
    also: [409, 412],
    handle: (call) =>
      call.change({}, async (tx) => {
        const { name, enabled, topics, rotate_secret: rotateSecret } = call.body;
        const before = await outletOf(tx, call, "notices");
        const at = storedOf(call.body.target, before.target);
        requireMail(call, at.target);
        const change = { name, enabled, topics: [...new Set(topics)], ...at, rotateSecret };
        const { row, secret } = await changeOutlet(tx, call, { row: before, change });
        tx.record({ activity: "notification.update", targetId: row.id, meta: outletMeta(row) });
        return asChannel(row, await nextSeqOf(tx, call.accountId), secret);
      }),
  }),
  route({
    method: "delete",
    path: `${CHANNELS}/:channelId`,
    summary: "Deletes a channel",
    access: "write",
    query: NoQuery,
    answer: { one: Empty },
    handle: (call) => ended(call, "notices", "notification.delete"),
  }),
  route({
    method: "post",
    path: `${CHANNELS}/:channelId/test`,
    summary: "Sends a test on a channel, and says whether it has arrived",
    access: "write",
    query: NoQuery,
    answer: { one: OutletTest },
    handle: (call) => tested(call, "notices"),
  }),
];

export const outletRoutes: readonly Route[] = [...streamRoutes, ...channelRoutes];

type Purpose = OutletRow["purpose"];

async function listed<T extends Parameters<typeof withHostOnly>[0]>(
  call: Call<undefined, PageQuery>,
  purpose: Purpose,
  render: (row: OutletRow, nextSeq: number) => T,
) {
  return call.read(async (tx) => {
    const nextSeq = await nextSeqOf(tx, call.accountId);
    return listingById(call.query, await listOutlets(tx, call.accountId, purpose), (row) =>
      forReader(call, purpose, render(row, nextSeq)),
    );
  });
}

async function shown<T extends Parameters<typeof withHostOnly>[0]>(
  call: Call<undefined, unknown>,
  purpose: Purpose,
  render: (row: OutletRow, nextSeq: number) => T,
): Promise<T> {
  return call.read(async (tx) => {
    const shown = render(await outletOf(tx, call, purpose), await nextSeqOf(tx, call.accountId));
    return forReader(call, purpose, shown);
  });
}

/** A webhook's URL often is its only secret, so only callers who may change it see all of it. */
function forReader<T extends Parameters<typeof withHostOnly>[0]>(
  { user }: Pick<Call, "user">,
  purpose: Purpose,
  shown: T,
): T {
  return mayCall(user.role, purpose === "stream" ? "owner" : "write") ? shown : withHostOnly(shown);
}

async function ended(
  call: Call<undefined, unknown>,
  purpose: Purpose,
  activity: "audit.stream.delete" | "notification.delete",
): Promise<object> {
  return call.change({}, async (tx) => {
    const row = await outletOf(tx, call, purpose);
    await endOutlet(tx, row);
    tx.record({ activity, targetId: row.id, meta: outletMeta(row) });
    return {};
  });
}

/** Records the event first: the receiver of a test can find out who sent it. */
async function tested(call: Call<undefined, unknown>, purpose: Purpose): Promise<OutletTest> {
  const row = await call.change({}, async (tx) => {
    const found = await outletOf(tx, call, purpose);
    const activity = purpose === "stream" ? "audit.stream.test" : "notification.test";
    tx.record({ activity, targetId: found.id, meta: outletMeta(found) });
    return found;
  });
  return call.ctx.outlets.test(row);
}

async function outletOf(
  tx: Reader,
  call: Pick<Call, "accountId" | "param">,
  purpose: Purpose,
): Promise<OutletRow> {
  const id = call.param(purpose === "stream" ? "streamId" : "channelId");
  const row = await findOutlet(tx, call.accountId, id);
  if (row?.purpose !== purpose) throw notFound(purpose === "stream" ? "stream" : "channel");
  return row;
}

/** Splits a target into what is shown and its secret. Without a new URL, a chat keeps the old one. */
function storedOf(
  target: ChannelTarget,
  before: StoredTarget | null,
): { target: StoredTarget; secret: string | null } {
  if (target.type !== "slack") return { target, secret: null };
  if (target.url !== undefined) {
    return { target: { type: "slack", host: new URL(target.url).host }, secret: target.url };
  }
  if (before?.type === "slack") return { target: before, secret: null };
  throw new QfError("ERR_UNPROCESSABLE", "target.url is missing");
}

function requireMail(call: Pick<Call, "ctx">, target: StoredTarget): void {
  if (target.type !== "email" || call.ctx.outlets.hasMail) return;
  throw new QfError("ERR_PRECONDITION_FAILED", "this server has no mail server", {
    hint: "the operator names one with qf management serve --smtp-url",
  });
}
