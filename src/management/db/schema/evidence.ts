/**
 * Audit events, and the Merkle tree over them. Append-only. Events say who did what, and never hold a token,
 * a secret key or the bytes of a session.
 *
 * @module
 */
import { sql } from "drizzle-orm";
import type { ActivityCode } from "../../../wire/audit-event.ts";
import type { Dialect } from "./dialect.ts";

export function evidenceTables(d: Dialect) {
  const auditEvents = d.table(
    "audit_events",
    {
      id: d.text("id").primaryKey(),
      /** No foreign keys in this file: a deleted account, user or peer keeps its history. */
      accountId: d.text("account_id").notNull(),
      /** Numbers an account's events without gaps, from 1. */
      seq: d.integer("seq").notNull(),
      /** When it happened, by the clock where it happened. Unix milliseconds. */
      atMs: d.integer("at_ms").notNull(),
      /** When management stored it. Unix milliseconds. */
      storedAtMs: d.integer("stored_at_ms").notNull(),
      activity: d.text("activity").$type<ActivityCode>().notNull(),
      initiatorId: d.text("initiator_id").notNull(),
      initiatorName: d.text("initiator_name").notNull(),
      initiatorEmail: d.text("initiator_email").notNull(),
      targetId: d.text("target_id").notNull(),
      meta: d.json<Record<string, string>>("meta").notNull(),
      /** The typed body. Null: none. */
      data: d.json<Record<string, unknown>>("data"),
      /** The agent that reported it, and that agent's number for it. Null: management itself. */
      agentPeerId: d.text("agent_peer_id"),
      agentSeq: d.integer("agent_seq"),
      /** The receipt that a denied person quotes. Null: not a denial. */
      receipt: d.text("receipt"),
      /** 16 random bytes, base64url, from the event's author. Null: older than the log (`log-leaf.ts`). */
      salt: d.text("salt"),
      /** The SSH connection that `data` names. Null: none. Not part of the leaf. */
      connectionId: d.text("connection_id"),
    },
    (table) => [
      d.uniqueIndex("audit_events_seq").on(table.accountId, table.seq),
      d.uniqueIndex("audit_events_agent").on(table.agentPeerId, table.agentSeq),
      d.index("audit_events_receipt").on(table.receipt),
      d.index("audit_events_peer_key").on(table.targetId, table.seq).where(sql`activity = 'peer.key'`),
      d.index("audit_events_log_key").on(table.accountId, table.seq).where(sql`activity = 'log.key'`),
      d
        .index("audit_events_log_lost")
        .on(table.accountId, table.seq)
        .where(sql`activity in ('log.lost', 'log.lost.acknowledge')`),
      d.index("audit_events_connection").on(table.connectionId),
    ],
  );
  return { auditEvents, sshSessions: sessionTable(d), ...logTables(d) };
}

/** SSH connections, from their opening and closing events, for lists. Kept as long as those events. */
function sessionTable(d: Dialect) {
  return d.table(
    "ssh_sessions",
    {
      /** The machine that reported it. */
      peerId: d.text("peer_id").notNull(),
      connectionId: d.text("connection_id").notNull(),
      accountId: d.text("account_id").notNull(),
      /** Null: a machine signed in with its own identity. */
      userId: d.text("user_id"),
      /** Names at that time: each may be gone. */
      userName: d.text("user_name").notNull(),
      machineName: d.text("machine_name").notNull(),
      devicePeerId: d.text("device_peer_id"),
      localUser: d.text("local_user").notNull(),
      path: d.word("path", ["direct", "relay", "plain", "stdio"]).notNull(),
      sourceAddress: d.text("source_address").notNull(),
      clientVersion: d.text("client_version").notNull(),
      ruleId: d.text("rule_id"),
      accessReason: d.text("access_reason"),
      offline: d.boolean("offline").notNull(),
      openedAtMs: d.integer("opened_at_ms").notNull(),
      /** Null, here and in the following columns: no end is recorded. */
      closedAtMs: d.integer("closed_at_ms"),
      /** Null also for an ordinary end. */
      endReason: d.text("end_reason"),
      bytesIn: d.integer("bytes_in"),
      bytesOut: d.integer("bytes_out"),
    },
    (table) => [
      d.primaryKey({ columns: [table.peerId, table.connectionId] }),
      d.index("ssh_sessions_connection").on(table.connectionId),
      d.index("ssh_sessions_account").on(table.accountId, table.openedAtMs),
      d.index("ssh_sessions_user").on(table.userId, table.openedAtMs),
      d.index("ssh_sessions_closed").on(table.accountId, table.closedAtMs),
    ],
  );
}

function logTables(d: Dialect) {
  /** The state of each account's tree. */
  const logHeads = d.table("log_heads", {
    accountId: d.text("account_id").primaryKey(),
    /** First line of every checkpoint, fixed when the log begins. */
    origin: d.text("origin").notNull(),
    /** Leaves in the tree: it holds the events through this number. */
    size: d.integer("size").notNull(),
    /** Hashes that are in no whole tile yet, by tile level: base64 (`log/tiles.ts`). */
    tail: d.json<readonly string[]>("tail").notNull(),
    /** Retention has removed the bodies of events through this number. */
    prunedThrough: d.integer("pruned_through").notNull(),
  });
  const logTiles = d.table(
    "log_tiles",
    {
      accountId: d.text("account_id").notNull(),
      level: d.integer("level").notNull(),
      tile: d.integer("tile").notNull(),
      hashes: d.text("hashes").notNull(),
    },
    (table) => [d.primaryKey({ columns: [table.accountId, table.level, table.tile] })],
  );
  const logCheckpoints = d.table(
    "log_checkpoints",
    {
      accountId: d.text("account_id").notNull(),
      size: d.integer("size").notNull(),
      madeAtMs: d.integer("made_at_ms").notNull(),
      note: d.text("note").notNull(),
    },
    (table) => [d.primaryKey({ columns: [table.accountId, table.size] })],
  );
  /** Where in the log each signed batch of a machine is. */
  const logBatches = d.table(
    "log_batches",
    {
      peerId: d.text("peer_id").notNull(),
      lastSeq: d.integer("last_seq").notNull(),
      accountId: d.text("account_id").notNull(),
      hash: d.text("hash").notNull(),
      /** The number of its `agent.batch` event. */
      logSeq: d.integer("log_seq").notNull(),
    },
    (table) => [d.primaryKey({ columns: [table.peerId, table.lastSeq] })],
  );
  return { logHeads, logTiles, logCheckpoints, logBatches };
}
