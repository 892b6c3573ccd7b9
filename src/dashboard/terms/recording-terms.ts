/**
 * Address terms of a recording's page: the moment that is shown.
 *
 * @module
 */

export interface RecordingTerms {
  /** Seconds since the start. Absent: the start. */
  readonly t?: number;
  /** Plays an ongoing recording from the start instead of watching it live. */
  readonly from?: "start";
}

const SECONDS_MAX = 31_536_000;

/** Reads the terms in an address and ignores anything else. */
export function recordingTermsOf({ t, from }: Readonly<Record<string, unknown>>): RecordingTerms {
  const isMoment = typeof t === "number" && t > 0 && t <= SECONDS_MAX;
  return { ...(isMoment ? { t } : {}), ...(from === "start" ? { from } : {}) };
}
