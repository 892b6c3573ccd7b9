/**
 * Decisions about requests, and the ends of approvals.
 *
 * Each is one conditional step from the state that was read, so of two simultaneous decisions only one
 * succeeds. Read `decideRequest`.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import type { AccessDecision } from "../../wire/access-request.ts";
import { MAP_APPROVALS_MAX } from "../../wire/network-map.ts";
import type { Reader } from "../db/engine/transaction.ts";
import type { ChangeWriter } from "../db/store.ts";
import { type AccessRequestRow, listApproved, stepAccessRequest } from "../db/tables/access-requests.ts";
import type { Initiator } from "../db/tables/audit-events.ts";
import { findAllGroup } from "../db/tables/groups.ts";
import { findPeer } from "../db/tables/peers.ts";
import { findUser, type UserRow } from "../db/tables/users.ts";
import { addMembership, removeMembership } from "./memberships.ts";
import { recordRequest } from "./request-events.ts";
import { isApprover, type RequestTerms, termsOf } from "./request-terms.ts";

/** One person's decision about a request. */
export interface Decided extends Pick<AccessDecision, "decision" | "seconds" | "note"> {
  readonly actor: UserRow;
}

/**
 * Approves or denies a request. Throws ERR_CONFLICT when it no longer waits, ERR_FORBIDDEN when the actor may
 * not decide about it.
 */
export async function decideRequest(
  tx: ChangeWriter,
  row: AccessRequestRow,
  { actor, decision, seconds, note = "" }: Decided,
): Promise<AccessRequestRow> {
  requireWaiting(tx, row);
  if (row.userId === actor.id) {
    throw new QfError("ERR_FORBIDDEN", "nobody decides about their own request", {
      hint: "ask another approver",
    });
  }
  const terms = await termsOf(tx, row);
  await requireApprover(tx, row, actor, terms);
  const now = nowSeconds(tx.clock);
  const by = { decidedAt: now, decidedBy: actor.id, note };
  if (decision === "deny") {
    const change = { ...by, state: "denied" as const };
    await step(tx, row, change);
    await recordRequest(tx, "access.deny", row, note === "" ? {} : { note });
    return { ...row, ...change };
  }
  if (terms === null) throw gone();
  await requireStillThere(tx, row);
  const endsAt = now + secondsOf(row, terms, seconds);
  const change = { ...by, state: "approved" as const, terms: terms.digest, endsAt };
  await step(tx, row, change);
  const { groupId, userId, accountId, id } = row;
  if (groupId !== null) {
    await addMembership(tx, { accountId, id: userId }, { groupId, until: endsAt, requestId: id });
  }
  tx.affectMaps();
  await recordRequest(tx, "access.approve", row, {
    until: new Date(endsAt * 1000).toISOString(),
    seconds: String(endsAt - now),
    ...(note === "" ? {} : { note }),
  });
  return { ...row, ...change };
}

/** Revokes an approval. The requester may also cancel a waiting request. */
export async function takeBack(
  tx: ChangeWriter,
  row: AccessRequestRow,
  actor: UserRow,
): Promise<AccessRequestRow> {
  const isOwn = row.userId === actor.id;
  if (row.state === "waiting" && isOwn) {
    const change = { state: "cancelled" as const };
    await step(tx, row, change);
    await recordRequest(tx, "access.cancel", row);
    return { ...row, ...change };
  }
  if (row.state !== "approved") {
    throw new QfError("ERR_CONFLICT", `there is nothing to end: the request is ${row.state}`);
  }
  const ended = await endApproved(tx, row, isOwn ? "given_up" : "taken_back");
  if (ended === null) throw decidedMeanwhile();
  return ended;
}

/** Ends an approval. Null: it had ended already. */
export async function endApproved(
  tx: ChangeWriter,
  row: AccessRequestRow,
  endCause: NonNullable<AccessRequestRow["endCause"]>,
  initiator?: Initiator,
): Promise<AccessRequestRow | null> {
  const change = { state: "ended" as const, endedAt: nowSeconds(tx.clock), endCause };
  if (!(await stepAccessRequest(tx, row.id, "approved", change))) return null;
  if (row.groupId !== null) await removeMembership(tx, row);
  tx.affectMaps();
  await recordRequest(tx, "access.end", row, { cause: endCause }, initiator);
  return { ...row, ...change };
}

/** Ends everything that a person approved who is now blocked or deleted. */
export async function endApprovedBy(
  tx: ChangeWriter,
  { accountId, id }: Pick<UserRow, "accountId" | "id">,
): Promise<void> {
  for (const row of await listApproved(tx, accountId, "all")) {
    if (row.decidedBy === id) await endApproved(tx, row, "approver_gone");
  }
}

/** Ends what was approved for a person who is being deleted, so that the log has its end. */
export async function endApprovedFor(
  tx: ChangeWriter,
  { accountId, id }: Pick<UserRow, "accountId" | "id">,
): Promise<void> {
  for (const row of await listApproved(tx, accountId, "all")) {
    if (row.userId === id) await endApproved(tx, row, "requester_gone");
  }
}

/** Ends approvals under rules that are deleted or whose terms have changed. */
export async function endChangedApprovals(tx: ChangeWriter, accountId: string): Promise<void> {
  for (const row of await listApproved(tx, accountId, "all")) {
    if (row.kind !== "machine" || (await termsOf(tx, row))?.digest === row.terms) continue;
    await endApproved(tx, row, "rule_changed");
  }
}

function requireWaiting(tx: Reader, row: AccessRequestRow): void {
  if (row.state !== "waiting") {
    const was = row.state === "ended" ? "approved, and has ended" : row.state;
    throw new QfError("ERR_CONFLICT", `this request is ${was} already`);
  }
  if (row.waitsUntil <= nowSeconds(tx.clock)) {
    throw new QfError("ERR_CONFLICT", "this request has expired", { hint: "have it made again" });
  }
}

async function requireApprover(
  tx: Reader,
  row: AccessRequestRow,
  actor: UserRow,
  terms: RequestTerms | null,
): Promise<void> {
  const all = await findAllGroup(tx, row.accountId);
  // When the rule or group is gone, only those who decide about everything may deny.
  if (isApprover(actor, terms ?? { approverGroups: [] }, all?.id ?? null)) return;
  throw new QfError("ERR_FORBIDDEN", "you do not decide about this request");
}

async function requireStillThere(tx: Reader, row: AccessRequestRow): Promise<void> {
  const { accountId, userId, devicePeerId, machinePeerId } = row;
  const user = await findUser(tx, accountId, userId);
  if (user === undefined || user.isBlocked || user.pendingApproval) {
    throw new QfError("ERR_CONFLICT", "who asked may not sign in any more");
  }
  if (machinePeerId === null || devicePeerId === null) return;
  const device = await findPeer(tx, accountId, devicePeerId);
  if (device?.status !== "active") {
    throw new QfError("ERR_CONFLICT", "the device that it is for is not in use any more");
  }
  if ((await listApproved(tx, accountId, [machinePeerId])).length >= MAP_APPROVALS_MAX) {
    throw new QfError("ERR_TOO_MANY", "too many approvals count at this machine", { hint: "end some first" });
  }
}

/** The approved duration: never longer than requested, nor than the current terms allow. */
function secondsOf(row: AccessRequestRow, terms: RequestTerms, narrowed: number | undefined): number {
  if (narrowed !== undefined && narrowed > row.seconds) {
    throw new QfError("ERR_UNPROCESSABLE", "seconds is more than was asked for");
  }
  return Math.min(narrowed ?? row.seconds, terms.secondsMax);
}

async function step(
  tx: ChangeWriter,
  row: AccessRequestRow,
  change: Parameters<typeof stepAccessRequest>[3],
): Promise<void> {
  if (!(await stepAccessRequest(tx, row.id, row.state, change))) throw decidedMeanwhile();
}

function decidedMeanwhile(): QfError {
  return new QfError("ERR_CONFLICT", "this request was decided meanwhile");
}

function gone(): QfError {
  return new QfError("ERR_CONFLICT", "what is asked for is not there any more", { hint: "deny the request" });
}
