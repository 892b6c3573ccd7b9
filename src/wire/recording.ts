/**
 * Recordings: asciicast v2 in chunks, made by agents, stored by management and returned by the API.
 *
 * A chunk is whole lines of the asciicast, packed: compressed with zstd, or, where the account has
 * recipients, an age file of its own. Digests are over packed chunks, since that is what is stored. The
 * chain begins with 32 zero bytes; each link is SHA-256 over the link before and the chunk's digest, and the
 * last one is the digest of the whole.
 *
 * @module
 */
import { z } from "zod";
import { EpochSeconds, Id, LocalUser, PeerId, Sha256, UserId } from "./units.ts";

/** Largest packed chunk, in bytes. */
export const RECORDING_CHUNK_BYTES_MAX = 65_536;
/** Most chunks of one upload. */
export const RECORDING_CHUNKS_MAX = 64;
/** Most bytes of the chunks of one upload. */
export const RECORDING_UPLOAD_CHUNK_BYTES_MAX = 16 * RECORDING_CHUNK_BYTES_MAX;
/** Most chunks of a recording: 64 GB. */
export const RECORDING_CHUNK_COUNT_MAX = 1_000_000;
/** Largest body of an upload, in bytes. */
export const RECORDING_UPLOAD_BYTES_MAX = RECORDING_UPLOAD_CHUNK_BYTES_MAX + 65_536;
/** Where agents upload. */
export const RECORDING_UPLOAD_PATH = "/agent/v1/recordings";
/** Header with the device key's signature over the digest of an upload's body. */
export const RECORDING_SIGNATURE_HEADER = "x-qufabric-signature";
/** Most recipients of an account. */
export const RECORDING_RECIPIENTS_MAX = 16;

const AGE_RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;
/** A recipient of encrypted recordings: an age(1) X25519 recipient. */
export const AgeRecipient = z.string().regex(AGE_RECIPIENT, "is not an age recipient (age1…)");

/** `<state>/recordings/recipients.json`: the last recipients of this machine's recordings. */
export const RecipientsFile = z.strictObject({
  /** Sorted. Empty: they were not encrypted. */
  recipients: z.array(AgeRecipient).max(RECORDING_RECIPIENTS_MAX),
  /** When they became these. Null: there were none before. */
  sinceSeconds: EpochSeconds.nullable(),
});
export type RecipientsFile = z.infer<typeof RecipientsFile>;

/** How chunks are packed. */
export const RecordingPacking = z.enum(["zstd", "age"]);
export type RecordingPacking = z.infer<typeof RecordingPacking>;

/** The recorded session, by its ids in the audit log. */
export const RecordingHead = z.strictObject({
  connectionId: Id,
  /** Numbers the sessions of a connection from 0. */
  sessionId: z.int().min(0),
  userId: UserId.nullable(),
  localUser: LocalUser,
  kind: z.enum(["shell", "exec", "sftp"]),
  mode: z.enum(["best_effort", "required"]),
  startedAtSeconds: EpochSeconds,
  /** Empty: it is not encrypted. */
  recipients: z.array(AgeRecipient).max(RECORDING_RECIPIENTS_MAX),
});
export type RecordingHead = z.infer<typeof RecordingHead>;

/** How a recording ended. */
export const RecordingEnd = z.strictObject({
  /** `complete`: everything to the session's end. `cut`: what came after is missing. */
  status: z.enum(["complete", "cut"]),
  /** Why it was cut. Null: it was not. */
  why: z.enum(["management_away", "spool_full", "refused", "agent_stopped", "unechoed", "failed"]).nullable(),
});
export type RecordingEnd = z.infer<typeof RecordingEnd>;

/**
 * The first part of an upload's body: the JSON's length in four bytes (big endian), the JSON, then the chunks
 * one after the other.
 */
export const RecordingUpload = z.strictObject({
  peerId: PeerId,
  recordingId: Id,
  /** Comes with the first chunk. */
  head: RecordingHead.optional(),
  /** Number of the first chunk, from 0. */
  first: z.int().min(0).max(RECORDING_CHUNK_COUNT_MAX),
  sizes: z.array(z.int().min(1).max(RECORDING_CHUNK_BYTES_MAX)).max(RECORDING_CHUNKS_MAX),
  /** Comes with the last chunk, or alone after it. */
  end: RecordingEnd.optional(),
});
export type RecordingUpload = z.infer<typeof RecordingUpload>;

/**
 * The answer to an upload. `next` is the next chunk that management wants; after a refusal the agent
 * continues from there if it can.
 */
export const RecordingUploadAnswer = z.object({
  next: z.int().min(0),
  /** Why nothing was stored. Absent: everything was. */
  refusal: z
    .object({
      code: z.enum(["duplicate", "gap", "over", "unreported", "full", "unavailable", "refused"]),
      message: z.string().max(512),
    })
    .optional(),
});
export type RecordingUploadAnswer = z.infer<typeof RecordingUploadAnswer>;

/** The header of the asciicast, its own line and the beginning of the first chunk. */
export const CastHeader = z.object({
  version: z.literal(2),
  width: z.int().min(0).max(65_535),
  height: z.int().min(0).max(65_535),
  timestamp: z.int().min(0),
  env: z.record(z.string(), z.string()).optional(),
  qufabric: z.record(z.string(), z.unknown()).optional(),
});
export type CastHeader = z.infer<typeof CastHeader>;

/** An event: seconds since the start, what it is, and its text (`recording/exact-text.ts`). */
export const CastEvent = z.tuple([z.number().min(0), z.string().max(1), z.string()]);
export type CastEvent = z.infer<typeof CastEvent>;

/** A recording as the API lists it. */
export const Recording = z.object({
  id: Id,
  machine_id: PeerId,
  machine: z.string(),
  connection_id: Id,
  session_id: z.int(),
  user_id: z.string().nullable(),
  local_user: z.string(),
  kind: z.enum(["shell", "exec", "sftp"]),
  mode: z.enum(["best_effort", "required"]),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime().nullable(),
  status: z.enum(["running", "complete", "cut"]),
  /** Why it was cut. Null: it was not. */
  why: z.string().nullable(),
  /** Chunks that are stored, and their bytes. */
  chunks: z.int(),
  bytes: z.int(),
  /** The chain over them, as the audit log has it of the whole. */
  digest: Sha256,
  encrypted: z.boolean(),
  recipients: z.array(z.string()),
});
export type Recording = z.infer<typeof Recording>;

/** Chunks of a recording, from the number that was asked for. */
export const RecordingPage = z.object({
  chunks: z.array(
    z.object({
      number: z.int().min(0),
      sha256: Sha256,
      /** Base64: asciicast lines, or an age file that holds them. */
      data: z.string(),
    }),
  ),
  /** The number to ask for next. */
  next: z.int().min(0),
  /** `running`: more may come. */
  status: z.enum(["running", "complete", "cut"]),
  encrypted: z.boolean(),
});
export type RecordingPage = z.infer<typeof RecordingPage>;
