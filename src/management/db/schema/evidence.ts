/**
 * The table of audit events. Append-only; says who and what, never a token, a key or the bytes of a session.
 *
 * @module
 */
import type { ActivityCode } from "../../../wire/audit-event.ts";
import type { Dialect } from "./dialect.ts";

export function evidenceTables(d: Dialect) {
  const auditEvents = d.table(
    "audit_events",
    {
      id: d.text("id").primaryKey(),
      /** No foreign key, here and below: a deleted account, user or peer keeps its history. */
      accountId: d.text("account_id").notNull(),
      /** Numbers an account's events without gaps, from 1. */
      seq: d.integer("seq").notNull(),
      /** When it happened, where it happened. Unix milliseconds. */
      atMs: d.integer("at_ms").notNull(),
      /** When management stored it. Unix milliseconds. */
      storedAtMs: d.integer("stored_at_ms").notNull(),
      activity: d.text("activity").$type<ActivityCode>().notNull(),
      initiatorId: d.text("initiator_id").notNull(),
      initiatorName: d.text("initiator_name").notNull(),
      initiatorEmail: d.text("initiator_email").notNull(),
      targetId: d.text("target_id").notNull(),
      meta: d.json<Record<string, string>>("meta").notNull(),
      /** The typed body, where there is one. */
      data: d.json<Record<string, unknown>>("data"),
      /** The agent that saw it, and its own number of it. Null: management itself. */
      agentPeerId: d.text("agent_peer_id"),
      agentSeq: d.integer("agent_seq"),
      /** What a denied person quotes; null: no denial. */
      receipt: d.text("receipt"),
    },
    (table) => [
      d.uniqueIndex("audit_events_seq").on(table.accountId, table.seq),
      d.uniqueIndex("audit_events_agent").on(table.agentPeerId, table.agentSeq),
      d.index("audit_events_receipt").on(table.receipt),
    ],
  );
  return { auditEvents };
}
