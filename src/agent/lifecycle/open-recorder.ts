/**
 * Opens the recorder of a running agent: its spool in the state folder, and the keys that recordings are
 * encrypted to, from the map or, if root says so, from the flags.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import type { AgentFlagsStored, Enrolled } from "../../wire/agent-state-file.ts";
import type { Recorder } from "../contracts/recorder.ts";
import type { MapHolder } from "../control-link/map-holder.ts";
import { createRecorder } from "../recording/recorder.ts";
import { SeenRecipients } from "../recording/seen-recipients.ts";
import type { AgentParts } from "./agent-parts.ts";

interface RecorderSources {
  readonly log: Log;
  readonly enrolled: Enrolled;
  readonly maps: MapHolder;
}

/** Read each time, because root may change them while recordings run. */
interface RecorderFlags {
  readonly now: Pick<AgentFlagsStored, "recordOffline" | "recordingRecipients">;
}

/** Throws the system's error if the spool cannot be opened. */
export function openRecorder(
  { clock, keys, paths }: Pick<AgentParts, "clock" | "keys" | "paths">,
  { log, enrolled, maps }: RecorderSources,
  flags: RecorderFlags,
): Recorder {
  const seen = new SeenRecipients(paths.recordings, { clock, log });
  return createRecorder({
    clock,
    log,
    directory: paths.recordings,
    enrolled,
    deviceKey: keys.deviceKey,
    recipients: () => {
      const own = flags.now.recordingRecipients ?? [];
      return own.length > 0 ? own : (maps.snapshot()?.map.settings.recordingRecipients ?? []);
    },
    mayWait: () => flags.now.recordOffline === true,
    otherKeysSinceSeconds: (recipients) => seen.otherSinceSeconds(recipients),
  });
}
