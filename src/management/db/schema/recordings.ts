/**
 * Recordings of sessions: whose they are, and where their chunks are. The recording store holds the bytes
 * (`recordings/store.ts`).
 *
 * @module
 */
import type { RecordingHead } from "../../../wire/recording.ts";
import type { Dialect } from "./dialect.ts";

export function recordingTables(d: Dialect) {
  const recordings = d.table(
    "recordings",
    {
      id: d.text("id").primaryKey(),
      /** No foreign keys: a deleted user or machine keeps its history. */
      accountId: d.text("account_id").notNull(),
      peerId: d.text("peer_id").notNull(),
      connectionId: d.text("connection_id").notNull(),
      sessionId: d.integer("session_id").notNull(),
      /** Null: the machine signed in with its own identity. */
      userId: d.text("user_id"),
      localUser: d.text("local_user").notNull(),
      kind: d.text("kind").$type<RecordingHead["kind"]>().notNull(),
      mode: d.text("mode").$type<RecordingHead["mode"]>().notNull(),
      /** Empty: not encrypted. */
      recipients: d.json<readonly string[]>("recipients").notNull(),
      startedAt: d.integer("started_at").notNull(),
      /** Null: still running. */
      endedAt: d.integer("ended_at"),
      status: d.text("status").$type<"running" | "complete" | "cut">().notNull(),
      why: d.text("why"),
      /** Number of the next expected chunk. */
      nextChunk: d.integer("next_chunk").notNull(),
      bytes: d.integer("bytes").notNull(),
      /** Hash chain over the chunks before that: base64url. */
      chain: d.text("chain").notNull(),
    },
    (table) => [
      d.index("recordings_account").on(table.accountId, table.startedAt),
      d.index("recordings_user").on(table.accountId, table.userId, table.startedAt),
      d.index("recordings_machine").on(table.peerId, table.startedAt),
      d.index("recordings_session").on(table.connectionId, table.sessionId),
    ],
  );
  /** Chunks that were uploaded together are one object in the store. */
  const recordingParts = d.table(
    "recording_parts",
    {
      recordingId: d
        .text("recording_id")
        .notNull()
        .references(() => recordings.id, { onDelete: "cascade" }),
      /** Number of its first chunk. */
      first: d.integer("first").notNull(),
      object: d.text("object").notNull(),
      sizes: d.json<readonly number[]>("sizes").notNull(),
      /** SHA-256 of each chunk: base64url. */
      digests: d.json<readonly string[]>("digests").notNull(),
    },
    (table) => [d.primaryKey({ columns: [table.recordingId, table.first] })],
  );
  return { recordings, recordingParts };
}
