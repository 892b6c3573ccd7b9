/**
 * Audit events of recordings, against which stored recordings can be verified.
 *
 * @module
 */
import { z } from "zod";
import { RecordingEnd } from "./recording.ts";
import { Id, Sha256, UserId } from "./units.ts";

/** A recording of a session, from event version 4 on. */
const recording = {
  connectionId: Id,
  userId: UserId.nullable().optional(),
  sessionId: z.int().min(0),
  recordingId: Id,
};
/** Most digests in one event. */
const RECORDING_DIGESTS_MAX = 256;

/** Events of a recording: its start, its chunks as they are made, unechoed input, and its end. */
export const recordingEvents = [
  z.strictObject({
    type: z.literal("recording.start"),
    ...recording,
    /** Number of recipients. 0: not encrypted. */
    recipients: z.int().min(0),
  }),
  z.strictObject({
    type: z.literal("recording.chunks"),
    ...recording,
    /** Number of the first chunk. */
    first: z.int().min(0),
    /** SHA-256 of each, as it is stored. */
    digests: z.array(Sha256).min(1).max(RECORDING_DIGESTS_MAX),
  }),
  z.strictObject({
    type: z.literal("recording.unechoed"),
    ...recording,
    /** Lines that a program has read and the terminal has not shown. */
    lines: z.int().min(0),
    program: z.string().max(64),
  }),
  z.strictObject({
    type: z.literal("recording.end"),
    ...recording,
    ...RecordingEnd.shape,
    chunks: z.int().min(0),
    bytes: z.int().min(0),
    /** Of the whole: the chain over its chunks (`recording.ts`). */
    digest: Sha256,
  }),
] as const;
