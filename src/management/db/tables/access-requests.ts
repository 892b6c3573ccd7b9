/**
 * Requests for access, and their approvals.
 *
 * @module
 */
import { and, asc, count, desc, eq, gt, inArray, isNull, lte, or } from "drizzle-orm";
import { nowSeconds } from "../../../base/clock.ts";
import type { AccountId, PeerId, UserId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";

export type AccessRequestRow = Row<"accessRequests">;

/** Ids in one IN, to stay below the database's limit on parameters. */
const CHUNK = 500;

export async function insertAccessRequest(tx: Writer, row: NewRow<"accessRequests">): Promise<void> {
  await tx.sql.insert(tx.t.accessRequests).values(row);
}

export async function findAccessRequest(
  tx: Reader,
  accountId: AccountId,
  requestId: string,
): Promise<AccessRequestRow | undefined> {
  const { accessRequests } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(accessRequests)
    .where(and(eq(accessRequests.accountId, accountId), eq(accessRequests.id, requestId)));
  return row;
}

/** Newest first. */
export function listAccessRequests(
  tx: Reader,
  accountId: AccountId,
  only: { readonly userId?: UserId; readonly states?: readonly AccessRequestRow["state"][]; limit: number },
): Promise<AccessRequestRow[]> {
  const { accessRequests } = tx.t;
  return tx.sql
    .select()
    .from(accessRequests)
    .where(
      and(
        eq(accessRequests.accountId, accountId),
        only.userId === undefined ? undefined : eq(accessRequests.userId, only.userId),
        only.states === undefined ? undefined : inArray(accessRequests.state, [...only.states]),
      ),
    )
    .orderBy(desc(accessRequests.createdAt), desc(accessRequests.id))
    .limit(only.limit);
}

/** How many requests await a decision, of one person or of all. */
export async function countWaiting(tx: Reader, accountId: AccountId, userId?: UserId): Promise<number> {
  const { accessRequests } = tx.t;
  const [row] = await tx.sql
    .select({ waiting: count() })
    .from(accessRequests)
    .where(
      and(
        eq(accessRequests.accountId, accountId),
        eq(accessRequests.state, "waiting"),
        userId === undefined ? undefined : eq(accessRequests.userId, userId),
      ),
    );
  return row?.waiting ?? 0;
}

/** Approved requests at these machines, in order of ids. Their time may be over already. */
export async function listApproved(
  tx: Reader,
  accountId: AccountId,
  machinePeerIds: readonly PeerId[] | "all",
): Promise<AccessRequestRow[]> {
  const { accessRequests } = tx.t;
  const approved = and(eq(accessRequests.accountId, accountId), eq(accessRequests.state, "approved"));
  const select = (at: ReturnType<typeof inArray> | undefined) =>
    tx.sql.select().from(accessRequests).where(and(approved, at)).orderBy(asc(accessRequests.id));
  if (machinePeerIds === "all") return select(undefined);
  const found: AccessRequestRow[] = [];
  for (let i = 0; i < machinePeerIds.length; i += CHUNK) {
    found.push(...(await select(inArray(accessRequests.machinePeerId, machinePeerIds.slice(i, i + CHUNK)))));
  }
  return found;
}

/** Whom and what an approval was for, and when it must have been in force. */
export interface ApprovedAccess {
  readonly userId: UserId;
  readonly devicePeerId: PeerId;
  readonly machinePeerId: PeerId;
  readonly localUser: string;
  readonly ruleId: string;
  /** When the connection began, by the machine's clock, which may be behind by `clockSeconds`. */
  readonly atSeconds: number;
  readonly clockSeconds: number;
}

/** The newest approval that admitted a connection, even if over by now. Undefined: none, or deleted. */
export async function findApprovalOf(
  tx: Reader,
  accountId: AccountId,
  { userId, devicePeerId, machinePeerId, localUser, ruleId, atSeconds, clockSeconds }: ApprovedAccess,
): Promise<AccessRequestRow | undefined> {
  const { accessRequests: r } = tx.t;
  const of = and(eq(r.userId, userId), eq(r.devicePeerId, devicePeerId), eq(r.localUser, localUser));
  const [row] = await tx.sql
    .select()
    .from(r)
    .where(
      and(
        ...[eq(r.accountId, accountId), eq(r.machinePeerId, machinePeerId), eq(r.ruleId, ruleId), of],
        ...[lte(r.decidedAt, atSeconds + clockSeconds), gt(r.endsAt, atSeconds)],
        or(isNull(r.endedAt), gt(r.endedAt, atSeconds)),
      ),
    )
    .orderBy(desc(r.decidedAt), desc(r.id))
    .limit(1);
  return row;
}

/** Requests of all accounts whose time is over: undecided past the deadline, or approved and past the end. */
export function listOverdue(tx: Reader, limit: number): Promise<AccessRequestRow[]> {
  const { accessRequests } = tx.t;
  const now = nowSeconds(tx.clock);
  return tx.sql
    .select()
    .from(accessRequests)
    .where(
      or(
        and(eq(accessRequests.state, "waiting"), lte(accessRequests.waitsUntil, now)),
        and(eq(accessRequests.state, "approved"), lte(accessRequests.endsAt, now)),
      ),
    )
    .limit(limit);
}

/** Changes the request if it is still in state `from`. Returns whether it was. */
export async function stepAccessRequest(
  tx: Writer,
  id: string,
  from: AccessRequestRow["state"],
  change: Partial<
    Pick<
      AccessRequestRow,
      "state" | "terms" | "decidedAt" | "decidedBy" | "note" | "endsAt" | "endedAt" | "endCause"
    >
  >,
): Promise<boolean> {
  const { accessRequests } = tx.t;
  const rows = await tx.sql
    .update(accessRequests)
    .set(change)
    .where(and(eq(accessRequests.id, id), eq(accessRequests.state, from)))
    .returning({ id: accessRequests.id });
  return rows.length > 0;
}

/** Deletes requests that were over before `before`. The log keeps them. */
export async function deleteAccessRequestsOver(tx: Writer, before: number): Promise<void> {
  const { accessRequests } = tx.t;
  const isOver = or(
    inArray(accessRequests.state, ["denied", "cancelled", "expired"]),
    and(eq(accessRequests.state, "ended"), lte(accessRequests.endedAt, before)),
  );
  await tx.sql.delete(accessRequests).where(and(isOver, lte(accessRequests.waitsUntil, before)));
}
