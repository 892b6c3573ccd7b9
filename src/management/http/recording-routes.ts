/**
 * POST /agent/v1/recordings: chunks of recordings, signed by the machine that made them.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import { SAFE_HEADERS } from "../../base/html.ts";
import {
  RECORDING_SIGNATURE_HEADER,
  RECORDING_UPLOAD_BYTES_MAX,
  RECORDING_UPLOAD_PATH,
  type RecordingUploadAnswer,
} from "../../wire/recording.ts";
import type { Recordings } from "../contracts/recordings.ts";
import type { Route } from "./request-entry.ts";

const STATUS: Readonly<Record<NonNullable<RecordingUploadAnswer["refusal"]>["code"], number>> = {
  duplicate: 409,
  gap: 409,
  over: 409,
  unreported: 409,
  full: 429,
  unavailable: 503,
  refused: 403,
};

/** The upload route. */
export function recordingUploadRoutes(recordings: Pick<Recordings, "take">): Route[] {
  return [
    {
      prefix: RECORDING_UPLOAD_PATH,
      answer: (request) => answerRecordingUpload(recordings, request),
    },
  ];
}

/** Throws ERR_METHOD_NOT_ALLOWED and ERR_TOO_LARGE; every other outcome is an answer. */
export async function answerRecordingUpload(
  recordings: Pick<Recordings, "take">,
  request: Request,
): Promise<Response> {
  if (request.method !== "POST") throw new QfError("ERR_METHOD_NOT_ALLOWED", "recordings are posted");
  const length = Number(request.headers.get("content-length") ?? Number.NaN);
  if (!(length <= RECORDING_UPLOAD_BYTES_MAX)) {
    throw new QfError("ERR_TOO_LARGE", "that is more than one upload of a recording");
  }
  const body = new Uint8Array(await request.arrayBuffer());
  const answer = await recordings.take(body, request.headers.get(RECORDING_SIGNATURE_HEADER) ?? "");
  const status = answer.refusal === undefined ? 200 : STATUS[answer.refusal.code];
  return Response.json(answer, { status, headers: { ...SAFE_HEADERS } });
}
