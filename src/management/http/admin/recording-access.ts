/**
 * Access of one caller to recordings, and what the log says when one is read.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { findRecording, listRecordings, type RecordingRow } from "../../db/tables/recordings.ts";
import type { UserRow } from "../../db/tables/users.ts";
import { mayCall, notFound } from "./access.ts";

/** Recordings of one connection that are searched for a running one. */
const OF_CONNECTION_MAX = 256;

/** Whether `user` may read the recording: their own, or any with a role that reads the account. */
export function maySeeRecording(user: UserRow, row: RecordingRow): boolean {
  return row.accountId === user.accountId && (mayCall(user.role, "read") || row.userId === user.id);
}

/**
 * The running recording with this id, or of the session with this id. Throws ERR_NOT_FOUND, also for one that
 * `user` may not see, and ERR_CONFLICT if it has ended or several are running.
 */
export async function findRunningRecording(tx: Reader, user: UserRow, id: string): Promise<RecordingRow> {
  const page = { limit: OF_CONNECTION_MAX, after: null };
  const rows = await listRecordings(tx, user.accountId, { connectionId: id }, page);
  const named = await findRecording(tx, id);
  const found = (named === undefined ? rows : [named]).filter((row) => maySeeRecording(user, row));
  if (found.length === 0) throw notFound("recorded session");
  const [only, ...others] = found.filter(({ status }) => status === "running");
  if (only === undefined) throw new QfError("ERR_CONFLICT", "its recording is over");
  if (others.length === 0) return only;
  throw new QfError("ERR_CONFLICT", "the session has more than one recording that runs", {
    hint: `name one of them: ${[only, ...others].map((row) => row.id).join(", ")}`,
  });
}

/** What an event says of a recording. */
export function recordingFacts(row: RecordingRow): Record<string, string> {
  return {
    recording: row.id,
    connection: row.connectionId,
    session: String(row.sessionId),
    local_user: row.localUser,
  };
}
