/**
 * Lines that tell a person about the recording before anything else is shown.
 *
 * @module
 */
import type { RecordingFacts } from "../contracts/recorder.ts";

export function recordedLines(facts: RecordingFacts): string[] {
  const { hasAllInput, isKeptHere, isEncrypted, otherKeysSinceSeconds } = facts;
  const changed = isEncrypted
    ? "other keys open recordings than before"
    : "recordings are no longer encrypted";
  const typed = hasAllInput ? ", with everything that is typed, passwords too," : ",";
  return [
    `This session is recorded${typed} and may be watched`,
    ...(isKeptHere
      ? ["Management cannot store the recording now; it is kept on this machine until it can"]
      : []),
    ...(otherKeysSinceSeconds === null ? [] : [`Since ${dayOf(otherKeysSinceSeconds)}, ${changed}`]),
  ];
}

/** In UTC, as YYYY-MM-DD. */
function dayOf(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(0, 10);
}
