/**
 * Start of recordings, in the store that `serve` was given.
 *
 * @module
 */
import { join } from "node:path";
import type { ManagementContext } from "../contracts/context.ts";
import { parseShare } from "../contracts/share.ts";
import { RECORDING_SHARE_BYTES_DEFAULT } from "./intake.ts";
import { createRecordings, type RunningRecordings } from "./recordings.ts";
import { openRecordingStore, type RecordingStoreOptions } from "./store.ts";

export interface OpenRecordingsOptions {
  readonly dataDir: string;
  readonly recordings?: Partial<RecordingStoreOptions>;
  /** A machine's daily share in megabytes, as typed. Absent: 10000. */
  readonly recordingShareMb?: string;
}

/** Throws as `openRecordingStore` and `parseShare`. Adds to `closers` what closes the recordings. */
export async function openRecordings(
  { dataDir, recordings: given, recordingShareMb }: OpenRecordingsOptions,
  context: Pick<ManagementContext, "clock" | "log" | "store" | "origin">,
  closers: (() => unknown)[],
): Promise<RunningRecordings> {
  const store = await openRecordingStore({ where: join(dataDir, "recordings"), ...given });
  const shareBytes = parseShare("--recording-share", recordingShareMb, RECORDING_SHARE_BYTES_DEFAULT);
  const recordings = createRecordings(context, { store, shareBytes });
  closers.push(() => recordings.close());
  return recordings;
}
