/**
 * /api/recordings: recorded sessions, their chunks, and their deletion. People see their own.
 *
 * @module
 */
import { Empty, NoQuery, PAGE_MAX, RecordingChunksQuery, RecordingQuery } from "../../../wire/admin-query.ts";
import { Recording, RecordingPage } from "../../../wire/recording.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { knownPeers, shownPeerName } from "../../db/tables/peers.ts";
import {
  countRecordings,
  findRecording,
  listRecordings,
  type RecordingFilter,
  type RecordingPlace,
  type RecordingRow,
} from "../../db/tables/recordings.ts";
import { mayCall, notFound } from "./access.ts";
import type { Listing } from "./paging.ts";
import { maySeeRecording, recordingFacts } from "./recording-access.ts";
import { type Call, isoTime, type Route, route } from "./route.ts";

/** Continued reading within this time is not recorded again. */
const READ_AGAIN_MS = 600_000;
/** Readers remembered. The one idle for longest is forgotten, and its next read is an event again. */
const READERS_MAX = 10_000;
const readers = new WeakMap<object, Map<string, number>>();

export const recordingRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/recordings",
    summary: "Recorded sessions, newest first; of oneself, for those who may not see all",
    access: "self",
    query: RecordingQuery,
    answer: { listOf: Recording },
    handle: (call) => call.read((tx) => listFor(tx, call)),
  }),
  route({
    method: "get",
    path: "/api/recordings/:recordingId",
    summary: "A recorded session",
    access: "self",
    query: NoQuery,
    answer: { one: Recording },
    handle: (call) =>
      call.read(async (tx) => {
        const row = await recordingOf(tx, call);
        return asRecording(row, await machineNames(tx, call, [row]));
      }),
  }),
  route({
    method: "get",
    path: "/api/recordings/:recordingId/chunks",
    summary: "Chunks of a recording from a number on, about a megabyte at a time; reading is an event",
    access: "self",
    query: RecordingChunksQuery,
    answer: { one: RecordingPage },
    handle: async (call) => {
      const row = await call.read((tx) => recordingOf(tx, call));
      await noteReader(call, row);
      return call.ctx.recordings.page(row.id, call.query.from ?? 0);
    },
  }),
  route({
    method: "delete",
    path: "/api/recordings/:recordingId",
    summary: "Deletes a recording",
    access: "write",
    query: NoQuery,
    answer: { one: Empty },
    handle: async (call) => {
      const row = await call.change({}, async (tx) => {
        const found = await recordingOf(tx, call);
        tx.record({ activity: "recording.delete", targetId: found.peerId, meta: recordingFacts(found) });
        return found;
      });
      await call.ctx.recordings.remove(row);
      return {};
    },
  }),
];

type AnyCall = Call<unknown, unknown>;

async function listFor(tx: Reader, call: Call<undefined, RecordingQuery>): Promise<Listing<Recording>> {
  const { accountId, query } = call;
  const { limit = PAGE_MAX } = query;
  const filter = filterOf(call);
  const page = { limit: limit + 1, after: placeOf(query.cursor) };
  const rows = await listRecordings(tx, accountId, filter, page);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const isLast = last === undefined || rows.length <= limit;
  const names = await machineNames(tx, call, shown);
  return {
    items: shown.map((row) => asRecording(row, names)),
    total: await countRecordings(tx, accountId, filter),
    next: isLast ? null : { limit: String(limit), cursor: `${last.startedAt}.${last.id}` },
  };
}

/** The query, narrowed to what the caller may see. */
function filterOf({ user, query }: Call<undefined, RecordingQuery>): RecordingFilter {
  const { connection_id: connectionId, session_id: sessionId, machine_id: peerId } = query;
  return {
    peerId,
    connectionId,
    sessionId: connectionId === undefined ? undefined : sessionId,
    userId: mayCall(user.role, "read") ? undefined : user.id,
  };
}

function placeOf(cursor: string | undefined): RecordingPlace | null {
  const [startedAt = "", id = ""] = cursor?.split(".") ?? [];
  return cursor === undefined ? null : { startedAt: Number(startedAt), id };
}

/** Throws ERR_NOT_FOUND, also for another person's recording. */
async function recordingOf(tx: Reader, call: AnyCall): Promise<RecordingRow> {
  const row = await findRecording(tx, call.param("recordingId"));
  if (row === undefined || !maySeeRecording(call.user, row)) throw notFound("recording");
  return row;
}

/** Records the reading as an event, before anything is sent. */
async function noteReader(call: AnyCall, row: RecordingRow): Promise<void> {
  const { ctx, user } = call;
  const known = readers.get(ctx.store) ?? new Map<string, number>();
  readers.set(ctx.store, known);
  const key = `${user.id} ${row.id}`;
  const nowMs = ctx.clock.monotonicMs();
  const isNew = nowMs - (known.get(key) ?? Number.NEGATIVE_INFINITY) > READ_AGAIN_MS;
  if (isNew) {
    const events = [{ activity: "recording.read" as const, targetId: row.peerId, meta: recordingFacts(row) }];
    await call.change({ events }, async () => {});
  }
  known.delete(key);
  known.set(key, nowMs);
  const [oldest] = known.keys();
  if (known.size > READERS_MAX && oldest !== undefined) known.delete(oldest);
}

/** Names of the machines of `rows` that still exist, by id. */
async function machineNames(
  tx: Reader,
  { accountId }: AnyCall,
  rows: readonly RecordingRow[],
): Promise<ReadonlyMap<string, string>> {
  const peerIds = rows.map(({ peerId }) => peerId);
  const peers = await knownPeers(tx, accountId, peerIds);
  return new Map(peers.map((peer) => [peer.id, shownPeerName(peer)]));
}

function asRecording(row: RecordingRow, names: ReadonlyMap<string, string>): Recording {
  return {
    id: row.id,
    machine_id: row.peerId,
    machine: names.get(row.peerId) ?? "",
    connection_id: row.connectionId,
    session_id: row.sessionId,
    user_id: row.userId,
    local_user: row.localUser,
    kind: row.kind,
    mode: row.mode,
    started_at: isoTime(row.startedAt),
    ended_at: row.endedAt === null ? null : isoTime(row.endedAt),
    status: row.status,
    why: row.why,
    chunks: row.nextChunk,
    bytes: row.bytes,
    digest: row.chain,
    encrypted: row.recipients.length > 0,
    recipients: [...row.recipients],
  };
}
