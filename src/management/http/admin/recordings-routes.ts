/**
 * /api/recordings: recorded sessions, their chunks, and deleting them. A person sees their own.
 *
 * @module
 */
import { Empty, NoQuery, RecordingChunksQuery, RecordingQuery } from "../../../wire/admin-query.ts";
import { Recording, RecordingPage } from "../../../wire/recording.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { knownPeers, shownPeerName } from "../../db/tables/peers.ts";
import {
  findRecording,
  listRecordings,
  listRecordingsOfSession,
  type RecordingRow,
} from "../../db/tables/recordings.ts";
import { mayCall, notFound } from "./access.ts";
import { listingById } from "./paging.ts";
import { type Call, isoTime, type Route, route } from "./route.ts";

/** Reading on is no other event, as long as it goes on like this. */
const READ_AGAIN_MS = 600_000;
/** Readers that are remembered; the one that was heard of least lately is an event again. */
const READERS_MAX = 10_000;
const readers = new WeakMap<object, Map<string, number>>();

export const recordingRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/recordings",
    summary: "Recorded sessions; of oneself, for those who may not see all",
    access: "self",
    query: RecordingQuery,
    answer: { listOf: Recording },
    handle: (call) =>
      call.read(async (tx) => {
        const rows = await rowsFor(tx, call);
        const names = await machineNames(tx, call, rows);
        return listingById(call.query, rows, (row) => asRecording(row, names));
      }),
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
    reauth: true,
    query: NoQuery,
    answer: { one: Empty },
    handle: async (call) => {
      const row = await call.change({}, async (tx) => {
        const found = await recordingOf(tx, call);
        tx.record({ activity: "recording.delete", targetId: found.peerId, meta: factsOf(found) });
        return found;
      });
      await call.ctx.recordings.remove(row);
      return {};
    },
  }),
];

type AnyCall = Call<unknown, unknown>;

function rowsFor(tx: Reader, call: Call<undefined, RecordingQuery>): Promise<RecordingRow[]> {
  const { accountId, query, user } = call;
  const { connection_id: connectionId, session_id: sessionId, machine_id: peerId } = query;
  const own = (rows: RecordingRow[]): RecordingRow[] => rows.filter((row) => maySee(call, row));
  if (connectionId !== undefined)
    return listRecordingsOfSession(tx, accountId, { connectionId, sessionId }).then(own);
  return listRecordings(tx, accountId, {
    peerId,
    ...(mayCall(user.role, "read") ? {} : { userId: user.id }),
  });
}

function maySee({ accountId, user }: AnyCall, row: RecordingRow): boolean {
  return row.accountId === accountId && (mayCall(user.role, "read") || row.userId === user.id);
}

/** Throws ERR_NOT_FOUND, also for somebody else's. */
async function recordingOf(tx: Reader, call: AnyCall): Promise<RecordingRow> {
  const row = await findRecording(tx, call.param("recordingId"));
  if (row === undefined || !maySee(call, row)) throw notFound("recording");
  return row;
}

/** That somebody reads a recording is an event, before they get anything of it. */
async function noteReader(call: AnyCall, row: RecordingRow): Promise<void> {
  const { ctx, user } = call;
  const known = readers.get(ctx.store) ?? new Map<string, number>();
  readers.set(ctx.store, known);
  const key = `${user.id} ${row.id}`;
  const nowMs = ctx.clock.monotonicMs();
  const isNew = nowMs - (known.get(key) ?? Number.NEGATIVE_INFINITY) > READ_AGAIN_MS;
  if (isNew) {
    const events = [{ activity: "recording.read" as const, targetId: row.peerId, meta: factsOf(row) }];
    await call.change({ events }, async () => {});
  }
  known.delete(key);
  known.set(key, nowMs);
  const [oldest] = known.keys();
  if (known.size > READERS_MAX && oldest !== undefined) known.delete(oldest);
}

function factsOf({ id, connectionId, sessionId, localUser }: RecordingRow): Record<string, string> {
  return {
    recording: id,
    connection: connectionId,
    session: String(sessionId),
    local_user: localUser,
  };
}

/** Names by id, of the machines of `rows` that are still there. */
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
