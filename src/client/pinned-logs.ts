/**
 * The log keys that this device has pinned: by them an export is believed, without asking management.
 *
 * @module
 */
import { join } from "node:path";
import { readJsonState } from "../base/files.ts";
import type { NoteKey } from "../log/checkpoint.ts";
import { PinnedLogsFile } from "../wire/state-file.ts";
import { clientFolderPath, type Environment } from "./client-folder.ts";

export interface PinnedLog {
  readonly keys: readonly NoteKey[];
  /** The largest checkpoint that was seen. */
  readonly checkpoints: readonly string[];
}

/** What is pinned of the log of that name: nothing, where this device has never met it. */
export async function pinnedLog(environment: Environment, origin: string): Promise<PinnedLog> {
  const path = join(clientFolderPath(environment), "logs.json");
  const file = await readJsonState(path, PinnedLogsFile);
  const log = file?.logs[origin];
  if (log === undefined) return { keys: [], checkpoints: [] };
  return { keys: [{ name: origin, publicKey: log.key }], checkpoints: [log.note] };
}
