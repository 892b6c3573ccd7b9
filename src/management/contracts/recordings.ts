/**
 * Recordings as the parts of management see them: taken in from machines, read, followed and deleted.
 *
 * @module
 */
import type { RecordingPage, RecordingUploadAnswer } from "../../wire/recording.ts";
import type { RecordingRow } from "../db/tables/recordings.ts";

export interface Recordings {
  /** Stores an upload of a machine, or says why not. Never rejects. */
  take(body: Uint8Array, signature: string): Promise<RecordingUploadAnswer>;
  /**
   * Chunks from number `from` on, at most about a megabyte of them; none where there are none yet. Throws
   * ERR_NOT_FOUND, and ERR_UNAVAILABLE where the store cannot be read.
   */
  page(recordingId: string, from: number): Promise<RecordingPage>;
  /**
   * Pages from `from` on as they come, until the recording is over or `signal` is aborted. Also of recordings
   * that another process takes in, a second later. Throws as `page`.
   */
  follow(recordingId: string, from: number, signal: AbortSignal): AsyncGenerator<RecordingPage>;
  /** Deletes the bytes, then the rows. Throws ERR_UNAVAILABLE with nothing, or some of the bytes, gone. */
  remove(row: Pick<RecordingRow, "id">): Promise<void>;
}
