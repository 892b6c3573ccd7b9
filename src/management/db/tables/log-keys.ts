/**
 * Log entries about keys (the log's own and those of peers) and about lost tails.
 *
 * The queries contain the activity as text, not as a parameter, because it is the condition of a partial
 * index (0016-log-keys.sql, 0018-rare-rows.sql).
 *
 * @module
 */
import { and, asc, desc, eq, sql } from "drizzle-orm";
import { LogKeyRecord } from "../../../wire/log-entry.ts";
import type { AccountId, PeerId } from "../../../wire/units.ts";
import type { Reader } from "../engine/transaction.ts";
import type { Row } from "../schema/schema.ts";

/** The handovers by which each of the log's keys came to sign it, oldest first. */
export async function listHandovers(tx: Reader, accountId: AccountId): Promise<LogKeyRecord[]> {
  const { auditEvents } = tx.t;
  const rows = await tx.sql
    .select({ data: auditEvents.data })
    .from(auditEvents)
    .where(and(eq(auditEvents.accountId, accountId), sql`${auditEvents.activity} = 'log.key'`))
    .orderBy(asc(auditEvents.seq));
  return rows.flatMap(({ data }) => {
    const record = LogKeyRecord.safeParse(data);
    return record.success ? [record.data] : [];
  });
}

/** Entries about lost tails and their acknowledgements, oldest first. */
export function listLostTails(tx: Reader, accountId: AccountId): Promise<Row<"auditEvents">[]> {
  const { auditEvents } = tx.t;
  return tx.sql
    .select()
    .from(auditEvents)
    .where(
      and(
        eq(auditEvents.accountId, accountId),
        sql`${auditEvents.activity} in ('log.lost', 'log.lost.acknowledge')`,
      ),
    )
    .orderBy(asc(auditEvents.seq));
}

/** The newest entry by which a device key of the peer came into force. */
export async function findPeerKeyEvent(
  tx: Reader,
  accountId: AccountId,
  peerId: PeerId,
): Promise<Row<"auditEvents"> | undefined> {
  const { auditEvents } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(auditEvents)
    .where(
      and(
        eq(auditEvents.accountId, accountId),
        sql`${auditEvents.activity} = 'peer.key'`,
        eq(auditEvents.targetId, peerId),
      ),
    )
    .orderBy(desc(auditEvents.seq))
    .limit(1);
  return row;
}
