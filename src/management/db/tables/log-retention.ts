/**
 * Retention: deletes the bodies of old events and keeps their leaf hashes, so that a pruned log verifies.
 *
 * It deletes from the beginning, and only what a signed checkpoint covers. Entries about device keys and
 * about the log itself stay, since the rest could not be verified without them.
 *
 * @module
 */
import { and, asc, between, eq, gte, lt, lte, notInArray } from "drizzle-orm";
import type { ActivityCode } from "../../../wire/audit-event.ts";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import { findCheckpoint } from "./log-checkpoints.ts";
import { findHead } from "./log-tree.ts";

/** Most events deleted in one transaction. */
const STEP_EVENTS_MAX = 2_000;
/** Activities that are never pruned. Must match `KEPT` in `log/verify-bundle.ts`. */
const KEPT: ActivityCode[] = ["peer.key", "log.prune", "log.key", "log.lost", "log.lost.acknowledge"];

/**
 * Deletes the next bodies of events stored before `beforeMs`. Returns the number of the last pruned event and
 * whether there may be more. Undefined: there was nothing to delete.
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

/** The number of the last event before the first that is not old enough. */
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

/** Deletes events of deleted accounts stored before `beforeMs`. */
export async function deleteEventsOfGone(tx: Writer, beforeMs: number): Promise<void> {
  const { auditEvents, accounts } = tx.t;
  const known = tx.sql.select({ id: accounts.id }).from(accounts);
  await tx.sql
    .delete(auditEvents)
    .where(and(notInArray(auditEvents.accountId, known), lt(auditEvents.storedAtMs, beforeMs)));
}
