/**
 * Recordings and their parts: created once, appended to in order, deleted whole.
 *
 * @module
 */
import { and, asc, count, desc, eq, gte, lt, notInArray, or } from "drizzle-orm";
import type { RecordingHead } from "../../../wire/recording.ts";
import type { AccountId, PeerId, UserId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";

export type RecordingRow = Row<"recordings">;
export type RecordingPartRow = Row<"recordingParts">;

/** How many of a connection's newest session starts are searched for the recorded session. */
const STARTS_LOOKED_AT = 4_096;

export async function findRecording(tx: Reader, id: string): Promise<RecordingRow | undefined> {
  const { recordings } = tx.t;
  const [row] = await tx.sql.select().from(recordings).where(eq(recordings.id, id));
  return row;
}

export interface RecordingFilter {
  readonly userId?: UserId | undefined;
  readonly peerId?: PeerId | undefined;
  /** Only those of this connection or, with `sessionId`, of one session in it. */
  readonly connectionId?: string | undefined;
  readonly sessionId?: number | undefined;
}

/** The last recording of a page. */
export interface RecordingPlace {
  readonly startedAt: number;
  readonly id: string;
}

/** A page of an account's recordings, newest first. */
export function listRecordings(
  tx: Reader,
  accountId: AccountId,
  filter: RecordingFilter,
  { limit, after }: { readonly limit: number; readonly after: RecordingPlace | null },
): Promise<RecordingRow[]> {
  const { recordings } = tx.t;
  const { startedAt, id } = recordings;
  const behind =
    after === null
      ? undefined
      : or(lt(startedAt, after.startedAt), and(eq(startedAt, after.startedAt), lt(id, after.id)));
  return tx.sql
    .select()
    .from(recordings)
    .where(and(...conditionsOf(tx, accountId, filter), behind))
    .orderBy(desc(startedAt), desc(id))
    .limit(limit);
}

export async function countRecordings(
  tx: Reader,
  accountId: AccountId,
  filter: RecordingFilter,
): Promise<number> {
  const { recordings } = tx.t;
  const [row] = await tx.sql
    .select({ recordings: count() })
    .from(recordings)
    .where(and(...conditionsOf(tx, accountId, filter)));
  return row?.recordings ?? 0;
}

function conditionsOf(tx: Reader, accountId: AccountId, filter: RecordingFilter) {
  const { recordings } = tx.t;
  const { userId, peerId, connectionId, sessionId } = filter;
  return [
    eq(recordings.accountId, accountId),
    userId === undefined ? undefined : eq(recordings.userId, userId),
    peerId === undefined ? undefined : eq(recordings.peerId, peerId),
    connectionId === undefined ? undefined : eq(recordings.connectionId, connectionId),
    sessionId === undefined ? undefined : eq(recordings.sessionId, sessionId),
  ];
}

/** Recordings that began before `seconds`, oldest first. */
export function listRecordingsBefore(
  tx: Reader,
  accountId: AccountId,
  seconds: number,
  countMax: number,
): Promise<RecordingRow[]> {
  const { recordings } = tx.t;
  return tx.sql
    .select()
    .from(recordings)
    .where(and(eq(recordings.accountId, accountId), lt(recordings.startedAt, seconds)))
    .orderBy(asc(recordings.startedAt))
    .limit(countMax);
}

/** Recordings of deleted accounts. */
export function listRecordingsOfNoAccount(tx: Reader, countMax: number): Promise<RecordingRow[]> {
  const { recordings, accounts } = tx.t;
  const known = tx.sql.select({ id: accounts.id }).from(accounts);
  return tx.sql.select().from(recordings).where(notInArray(recordings.accountId, known)).limit(countMax);
}

export async function insertRecording(tx: Writer, row: NewRow<"recordings">): Promise<void> {
  await tx.sql.insert(tx.t.recordings).values(row);
}

/** Appends an upload. False: another upload was first, or the recording is over. */
export async function addToRecording(
  tx: Writer,
  { id, first }: { readonly id: string; readonly first: number },
  change: Pick<RecordingRow, "nextChunk" | "bytes" | "chain" | "status" | "why" | "endedAt">,
): Promise<boolean> {
  const { recordings } = tx.t;
  const changed = await tx.sql
    .update(recordings)
    .set(change)
    .where(and(eq(recordings.id, id), eq(recordings.nextChunk, first), eq(recordings.status, "running")))
    .returning({ id: recordings.id });
  return changed.length > 0;
}

export async function insertRecordingPart(tx: Writer, part: NewRow<"recordingParts">): Promise<void> {
  await tx.sql.insert(tx.t.recordingParts).values(part);
}

/** Parts in order, from the first that begins at chunk `from` or later. */
export function listRecordingParts(
  tx: Reader,
  recordingId: string,
  { from = 0, countMax }: { readonly from?: number; readonly countMax: number },
): Promise<RecordingPartRow[]> {
  const { recordingParts } = tx.t;
  return tx.sql
    .select()
    .from(recordingParts)
    .where(and(eq(recordingParts.recordingId, recordingId), gte(recordingParts.first, from)))
    .orderBy(asc(recordingParts.first))
    .limit(countMax);
}

export async function deleteRecording(tx: Writer, id: string): Promise<boolean> {
  const { recordings } = tx.t;
  const gone = await tx.sql.delete(recordings).where(eq(recordings.id, id)).returning({ id: recordings.id });
  return gone.length > 0;
}

/** Whether the machine has reported the start of this session, for the same person. */
export async function isReportedSession(tx: Reader, peerId: PeerId, head: RecordingHead): Promise<boolean> {
  const { auditEvents } = tx.t;
  const rows = await tx.sql
    .select({ activity: auditEvents.activity, data: auditEvents.data })
    .from(auditEvents)
    .where(
      and(
        eq(auditEvents.connectionId, head.connectionId),
        eq(auditEvents.agentPeerId, peerId),
        eq(auditEvents.activity, "ssh.session.start"),
      ),
    )
    .orderBy(desc(auditEvents.agentSeq))
    .limit(STARTS_LOOKED_AT);
  return rows.some(
    ({ data }) =>
      data?.connectionId === head.connectionId &&
      data.sessionId === head.sessionId &&
      data.kind === head.kind &&
      (data.userId ?? null) === head.userId,
  );
}
