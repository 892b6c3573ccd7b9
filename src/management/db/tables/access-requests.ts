/**
 * Requests for access, and what was approved of them.
 *
 * @module
 */
import { and, asc, count, desc, eq, gt, inArray, isNull, lte, or } from "drizzle-orm";
import { nowSeconds } from "../../../base/clock.ts";
import type { AccountId, PeerId, UserId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";

export type AccessRequestRow = Row<"accessRequests">;

/** Ids of one IN: keeps them below the database's bound on parameters. */
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

/** Those that nobody has decided about, of one person or of all. */
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

/** What is approved at these machines, in order of ids; its end may have come. */
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

/** Whom and what an approval was for, and when it has to have counted. */
export interface ApprovedAccess {
  readonly userId: UserId;
  readonly devicePeerId: PeerId;
  readonly machinePeerId: PeerId;
  readonly localUser: string;
  readonly ruleId: string;
  /** When it began, by the machine's clock, which may be behind by `clockSeconds`. */
  readonly atSeconds: number;
  readonly clockSeconds: number;
}

/** The newest approval that let it in, also one that is over by now. Undefined: none did, or it is gone. */
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

/** What is over by time, of whichever account: nobody decided, or the end of what was approved has come. */
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

/** Changes the row if it is still in state `from`. Returns whether it was. */
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

/** Forgets what has been over since before `before`; the log keeps it. */
export async function deleteAccessRequestsOver(tx: Writer, before: number): Promise<void> {
  const { accessRequests } = tx.t;
  const isOver = or(
    inArray(accessRequests.state, ["denied", "cancelled", "expired"]),
    and(eq(accessRequests.state, "ended"), lte(accessRequests.endedAt, before)),
  );
  await tx.sql.delete(accessRequests).where(and(isOver, lte(accessRequests.waitsUntil, before)));
}
