/**
 * Retention: bodies of events that are old enough go, their leaf hashes stay, so that a pruned log verifies.
 *
 * Only what a signed checkpoint covers is removed, from the beginning on. Device keys stay, and what the log
 * says of itself: without them what follows could not be checked.
 *
 * @module
 */
import { and, asc, between, eq, gte, lt, lte, notInArray } from "drizzle-orm";
import type { ActivityCode } from "../../../wire/audit-event.ts";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import { findCheckpoint } from "./log-checkpoints.ts";
import { findHead } from "./log-tree.ts";

/** Events removed in one transaction. */
const STEP_EVENTS_MAX = 2_000;
/** As `KEPT` of `log/verify-bundle.ts` reads them. */
const KEPT: ActivityCode[] = ["peer.key", "log.prune", "log.key", "log.lost", "log.lost.acknowledge"];

/**
 * Removes the next bodies of events that were stored before `beforeMs`. Returns the number through which they
 * are gone now, and whether there may be more. Undefined: nothing was to be removed.
 */
export async function pruneBodies(
  tx: Writer,
  accountId: AccountId,
  beforeMs: number,
): Promise<{ through: number; isMore: boolean } | undefined> {
  const head = await findHead(tx, accountId);
  const signed = await findCheckpoint(tx, accountId);
  if (head === undefined || signed === undefined) return undefined;
  const first = head.prunedThrough + 1;
  const last = Math.min(first + STEP_EVENTS_MAX - 1, signed.size, head.size);
  const through = Math.min(last, await oldThrough(tx, accountId, { first, last, beforeMs }));
  if (through < first) return undefined;
  const { auditEvents, logBatches, logHeads } = tx.t;
  await tx.sql
    .delete(auditEvents)
    .where(
      and(
        eq(auditEvents.accountId, accountId),
        between(auditEvents.seq, first, through),
        notInArray(auditEvents.activity, KEPT),
      ),
    );
  await tx.sql
    .delete(logBatches)
    .where(and(eq(logBatches.accountId, accountId), lte(logBatches.logSeq, through)));
  await tx.sql.update(logHeads).set({ prunedThrough: through }).where(eq(logHeads.accountId, accountId));
  return { through, isMore: through === last && last < Math.min(signed.size, head.size) };
}

/** The last event before the first that is not old enough. */
async function oldThrough(
  tx: Reader,
  accountId: AccountId,
  { first, last, beforeMs }: { readonly first: number; readonly last: number; readonly beforeMs: number },
): Promise<number> {
  const { auditEvents: e } = tx.t;
  const [young] = await tx.sql
    .select({ seq: e.seq })
    .from(e)
    .where(and(eq(e.accountId, accountId), between(e.seq, first, last), gte(e.storedAtMs, beforeMs)))
    .orderBy(asc(e.seq))
    .limit(1);
  return young === undefined ? last : young.seq - 1;
}

/** Removes events of deleted accounts that were stored before `beforeMs`: nobody asks for them any more. */
export async function deleteEventsOfGone(tx: Writer, beforeMs: number): Promise<void> {
  const { auditEvents, accounts } = tx.t;
  const known = tx.sql.select({ id: accounts.id }).from(accounts);
  await tx.sql
    .delete(auditEvents)
    .where(and(notInArray(auditEvents.accountId, known), lt(auditEvents.storedAtMs, beforeMs)));
}
