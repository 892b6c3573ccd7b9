/**
 * Outlets of an account's log in the form of the REST API.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import { newId } from "../../../base/random.ts";
import type { AuditStream, NotificationChannel, OUTLET_STATUSES } from "../../../wire/outlet-api.ts";
import type { AccountId } from "../../../wire/units.ts";
import type { StoredTarget } from "../../db/schema/outlets.ts";
import type { ChangeWriter } from "../../db/store.ts";
import { findAccount } from "../../db/tables/accounts.ts";
import {
  countOutlets,
  deleteOutlet,
  insertOutlet,
  listOutlets,
  type OutletRow,
  updateOutlet,
} from "../../db/tables/log-outlets.ts";
import { PAGE_ENTRIES_MAX } from "../../outlets/page.ts";
import { newWebhookSecret } from "../../outlets/webhook.ts";
import { type Call, isoTime } from "./route.ts";

/** Most outlets of one account; each costs a delivery of its own. */
const OUTLETS_MAX = 16;

type Shown = Omit<AuditStream, "target"> & { readonly target: OutletRow["target"] };

/** Shows only the host of an address that may be a secret, for callers who may read but not write. */
export function withHostOnly<
  T extends { readonly target: OutletRow["target"] | NotificationChannel["target"] },
>(shown: T): T {
  const { target } = shown;
  if (target.type !== "webhook") return shown;
  return { ...shown, target: { ...target, url: `${new URL(target.url).origin}/...` } };
}

/** The outlet as shown. `secret` is given only when it was just created. */
export function asOutlet(row: OutletRow, nextSeq: number, secret?: string): Shown {
  const lag = Math.max(0, nextSeq - 1 - row.cursorSeq);
  return {
    id: row.id,
    name: row.name,
    enabled: row.enabled,
    created_at: isoTime(row.createdAt),
    target: row.target,
    status: statusOf(row, lag),
    lag,
    delivered_seq: row.cursorSeq,
    last_delivered_at: row.lastDeliveredAt === null ? null : isoTime(row.lastDeliveredAt),
    failing_since: row.failingSince === null ? null : isoTime(row.failingSince),
    last_error: row.lastError,
    ...(secret === undefined ? {} : { secret }),
  };
}

export function asChannel(row: OutletRow, nextSeq: number, secret?: string): NotificationChannel {
  const shown = asOutlet(row, nextSeq, secret);
  return { ...shown, target: shown.target as NotificationChannel["target"], topics: [...row.topics] };
}

function statusOf(row: OutletRow, lag: number): (typeof OUTLET_STATUSES)[number] {
  if (!row.enabled) return "disabled";
  if (row.failingSince !== null) return "failing";
  return lag > PAGE_ENTRIES_MAX ? "behind" : "ok";
}

/** The number of the account's next event. Within a change, that of its first event. */
export async function nextSeqOf(
  tx: Parameters<typeof findAccount>[0],
  accountId: AccountId,
): Promise<number> {
  return (await findAccount(tx, accountId))?.nextAuditSeq ?? 1;
}

export interface NewOutlet extends Pick<OutletRow, "purpose" | "name" | "enabled" | "target" | "topics"> {
  readonly fromBeginning: boolean;
  /** For a chat, its URL. Null: there is none, or one is generated. */
  readonly secret: string | null;
}

/** Creates the outlet. A webhook's generated secret is returned, to be shown once. */
export async function makeOutlet(
  tx: ChangeWriter,
  call: Pick<Call, "ctx" | "accountId">,
  wanted: NewOutlet,
): Promise<{ row: OutletRow; secret: string | undefined }> {
  const { ctx, accountId } = call;
  if ((await countOutlets(tx, accountId)) >= OUTLETS_MAX) {
    throw new QfError("ERR_CONFLICT", `an account has at most ${OUTLETS_MAX} streams and channels`, {
      hint: "delete one that is not needed",
    });
  }
  await requireFreeName(tx, { ...wanted, accountId, id: "" });
  const { fromBeginning, ...rest } = wanted;
  const secret = wanted.target.type === "webhook" ? newWebhookSecret() : undefined;
  const owner = { id: newId(), accountId };
  const kept = secret ?? wanted.secret;
  const row: OutletRow = {
    ...rest,
    ...owner,
    ...NOTHING_YET,
    secret: kept === null ? null : ctx.outlets.seal(owner, kept),
    cursorSeq: fromBeginning ? 0 : (await nextSeqOf(tx, accountId)) - 1,
    createdAt: Math.floor(tx.clock.nowMs() / 1000),
  };
  await insertOutlet(tx, row);
  return { row, secret };
}

const NOTHING_YET = {
  endsAtSeq: null,
  endedAt: null,
  failingSince: null,
  lastError: null,
  lastDeliveredAt: null,
  leaseBy: null,
  leaseUntilMs: 0,
} as const;

export interface OutletChange extends Omit<NewOutlet, "fromBeginning" | "purpose"> {
  readonly rotateSecret: boolean;
}

/**
 * Changes the outlet. If a stream is moved or stopped, its old address still receives everything up to and
 * including the event of the change.
 */
export async function changeOutlet(
  tx: ChangeWriter,
  call: Pick<Call, "ctx">,
  { row, change }: { readonly row: OutletRow; readonly change: OutletChange },
): Promise<{ row: OutletRow; secret: string | undefined }> {
  await requireFreeName(tx, { ...row, name: change.name });
  const { target, name, enabled, topics, rotateSecret } = change;
  const isMoved = !isSameTarget(row.target, target) || change.secret !== null;
  if (row.enabled && (isMoved || !enabled)) await endAtOldAddress(tx, call, row);
  const needsNew = target.type === "webhook" && (rotateSecret || row.target.type !== "webhook");
  const secret = needsNew ? newWebhookSecret() : undefined;
  const kept = secret ?? change.secret;
  const stored = kept === null ? secretOfKind(row, target) : call.ctx.outlets.seal(row, kept);
  const state = isMoved ? { failingSince: null, lastError: null } : {};
  const changed = { name, enabled, target, topics, secret: stored, ...state };
  await updateOutlet(tx, row.id, changed);
  return { row: { ...row, ...changed }, secret };
}

/** The secret stays if the target remains of the same kind. */
function secretOfKind(row: OutletRow, target: StoredTarget): string | null {
  return row.target.type === target.type ? row.secret : null;
}

function isSameTarget(a: StoredTarget, b: StoredTarget): boolean {
  const fields = (target: StoredTarget) => JSON.stringify(Object.entries(target).sort());
  return fields(a) === fields(b);
}

async function endAtOldAddress(tx: ChangeWriter, { ctx }: Pick<Call, "ctx">, row: OutletRow): Promise<void> {
  if (row.purpose !== "stream") return;
  const id = newId();
  const secret = row.secret === null ? null : ctx.outlets.seal({ ...row, id }, ctx.outlets.open(row));
  await insertOutlet(tx, { ...row, ...(await ending(tx, row.accountId)), id, secret, leaseBy: null });
}

async function ending(tx: ChangeWriter, accountId: AccountId) {
  const endedAt = Math.floor(tx.clock.nowMs() / 1000);
  return { endsAtSeq: await nextSeqOf(tx, accountId), endedAt };
}

/**
 * Deletes the outlet. An enabled stream first delivers everything up to and including the event of its end.
 */
export async function endOutlet(tx: ChangeWriter, row: OutletRow): Promise<void> {
  if (row.purpose === "stream" && row.enabled)
    await updateOutlet(tx, row.id, await ending(tx, row.accountId));
  else await deleteOutlet(tx, row.id);
}

async function requireFreeName(
  tx: ChangeWriter,
  { accountId, purpose, name, id }: Pick<OutletRow, "accountId" | "purpose" | "name" | "id">,
): Promise<void> {
  const others = await listOutlets(tx, accountId, purpose);
  if (!others.some((other) => other.name === name && other.id !== id)) return;
  throw new QfError("ERR_CONFLICT", `there is one named ${JSON.stringify(name)} already`);
}

/** What events say of the outlet: no more than where it leads. */
export function outletMeta({ name, target }: Pick<OutletRow, "name" | "target">): Record<string, string> {
  return { name, type: target.type, to: placeOf(target) };
}

function placeOf(target: StoredTarget): string {
  switch (target.type) {
    case "webhook":
      return new URL(target.url).host;
    case "syslog":
      return `${target.host}:${target.port}`;
    case "slack":
      return target.host;
    case "email":
      return target.to.join(" ");
  }
}
