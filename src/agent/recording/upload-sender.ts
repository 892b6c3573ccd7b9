/**
 * Sends chunks to management over HTTP, each request signed by the device key.
 *
 * @module
 */
import { type Ed25519Key, signEd25519 } from "../../base/ed25519.ts";
import { QfError } from "../../base/errors.ts";
import { parseJson } from "../../base/files.ts";
import { sha256 } from "../../base/random.ts";
import type { Enrolled } from "../../wire/agent-state-file.ts";
import {
  RECORDING_SIGNATURE_HEADER,
  RECORDING_UPLOAD_PATH,
  type RecordingUpload,
  RecordingUploadAnswer,
} from "../../wire/recording.ts";
import { signedBytes } from "../../wire/signed-fields.ts";

/** Longest wait for an answer. */
const TIMEOUT_MS = 15_000;
const ANSWER_BYTES_MAX = 16_384;

/** Rejects without a valid answer from management. */
export type SendUpload = (
  upload: Omit<RecordingUpload, "peerId">,
  chunks: readonly Uint8Array[],
) => Promise<RecordingUploadAnswer>;

export function createUploadSender(
  enrolled: Pick<Enrolled, "origin" | "accountId" | "peerId">,
  deviceKey: Ed25519Key,
  stopped: AbortSignal,
): SendUpload {
  return async (upload, chunks) => {
    const { origin, accountId, peerId } = enrolled;
    const body = bodyOf({ peerId, ...upload }, chunks);
    const signed = signedBytes("recording", { accountId, origin }, { peer: peerId, digest: sha256(body) });
    const response = await fetch(`${origin}${RECORDING_UPLOAD_PATH}`, {
      method: "POST",
      redirect: "error",
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), stopped]),
      headers: {
        "content-type": "application/octet-stream",
        [RECORDING_SIGNATURE_HEADER]: signEd25519(deviceKey, signed),
      },
      body,
    });
    const text = await response.text();
    const answer = text.length > ANSWER_BYTES_MAX ? undefined : parseJson(text);
    const parsed = RecordingUploadAnswer.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new QfError("ERR_UNAVAILABLE", `management answered a recording with status ${response.status}`);
  };
}

function bodyOf(upload: RecordingUpload, chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const head = Buffer.from(JSON.stringify(upload));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, ...chunks]);
}
