/**
 * The recorder of a running agent: its spool in the state folder, and the account's recipients by its map.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import type { Enrolled } from "../../wire/agent-state-file.ts";
import type { Recorder } from "../contracts/recorder.ts";
import type { MapHolder } from "../control-link/map-holder.ts";
import { createRecorder } from "../recording/recorder.ts";
import type { AgentParts } from "./agent-parts.ts";

/** Throws what the system throws where the spool cannot be opened. */
export function openRecorder(
  { clock, keys, paths }: Pick<AgentParts, "clock" | "keys" | "paths">,
  { log, enrolled, maps }: { readonly log: Log; readonly enrolled: Enrolled; readonly maps: MapHolder },
): Recorder {
  return createRecorder({
    clock,
    log,
    directory: paths.recordings,
    enrolled,
    deviceKey: keys.deviceKey,
    recipients: () => maps.snapshot()?.map.settings.recordingRecipients ?? [],
  });
}
