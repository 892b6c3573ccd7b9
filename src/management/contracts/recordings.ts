/**
 * Recordings as the parts of management use them: taken in from machines, read, followed and deleted.
 *
 * @module
 */
import type { RecordingPage, RecordingUploadAnswer } from "../../wire/recording.ts";
import type { RecordingRow } from "../db/tables/recordings.ts";

export interface Recordings {
  /** Stores a machine's upload, or says why not. Never rejects. */
  take(body: Uint8Array, signature: string): Promise<RecordingUploadAnswer>;
  /**
   * Chunks from number `from` on, at most about a megabyte; none if there are none yet. Throws ERR_NOT_FOUND,
   * and ERR_UNAVAILABLE if the store cannot be read.
   */
  page(recordingId: string, from: number): Promise<RecordingPage>;
  /**
   * Pages from `from` on as they arrive, until the recording ends or `signal` is aborted. Recordings that
   * another process takes in follow a second later. Throws as `page` does.
   */
  follow(recordingId: string, from: number, signal: AbortSignal): AsyncGenerator<RecordingPage>;
  /**
   * Deletes the bytes, then the rows. Throws ERR_UNAVAILABLE when nothing, or only some of the bytes, were
   * deleted.
   */
  remove(row: Pick<RecordingRow, "id">): Promise<void>;
}
