/**
 * The moment of a recording that is on screen, as it stands in the address.
 *
 * @module
 */

export interface RecordingTerms {
  /** Seconds since its beginning. Absent: the beginning. */
  readonly t?: number;
  /** Plays what there is of one that goes on, which else is watched. */
  readonly from?: "start";
}

const SECONDS_MAX = 31_536_000;

/** Those of an address; anything else is left out. */
export function recordingTermsOf({ t, from }: Readonly<Record<string, unknown>>): RecordingTerms {
  const isMoment = typeof t === "number" && t > 0 && t <= SECONDS_MAX;
  return { ...(isMoment ? { t } : {}), ...(from === "start" ? { from } : {}) };
}
