/**
 * A recording fetched from the API page by page: its asciicast, decrypted with an identity if needed.
 *
 * @module
 */

import { isQfError, QfError } from "../base/errors.ts";
import { readSmallFile } from "../base/files.ts";
import { createChunkDecrypter } from "../recording/age-chunk.ts";
import { digestOfChunk, digestText } from "../recording/chunk.ts";
import { Recording, RecordingPage } from "../wire/recording.ts";
import { Session } from "../wire/session.ts";
import { Id } from "../wire/units.ts";
import type { Admin } from "./admin.ts";

const IDENTITY_BYTES_MAX = 65_536;

/**
 * The recording that `id` names: its own id, or that of a session with one recording. Throws ERR_NOT_FOUND,
 * and ERR_CONFLICT with their ids if there are several.
 */
export async function findRecording(admin: Pick<Admin, "request">, id: string): Promise<Recording> {
  if (!Id.safeParse(id).success) throw notFound(id);
  const query = `/api/recordings?connection_id=${id}`;
  const { value: ofSession } = await admin.request("GET", query, { answer: Recording.array() });
  const [only] = ofSession;
  if (ofSession.length > 1) {
    throw severalOf(id, ofSession);
  }
  if (only !== undefined) return only;
  return (await admin.request("GET", `/api/recordings/${id}`, { answer: Recording })).value;
}

/**
 * The running recording with this id, or of the session with this id. Throws ERR_CONFLICT, saying which, when
 * the session is not recorded, is over, or has several running recordings.
 */
export async function findRunning(admin: Pick<Admin, "request">, id: string): Promise<Recording> {
  if (!Id.safeParse(id).success) throw notFound(id);
  const query = `/api/recordings?connection_id=${id}`;
  const { value: ofSession } = await admin.request("GET", query, { answer: Recording.array() });
  const running = ofSession.filter(({ status }) => status === "running");
  const [only] = running;
  if (only !== undefined && running.length === 1) return only;
  if (only !== undefined) throw severalOf(id, running);
  if (ofSession.length > 0) throw over(id);
  const session = await isSession(admin, id);
  if (session)
    throw new QfError("ERR_CONFLICT", `the session ${id} is not recorded, so it cannot be watched`);
  const { value } = await admin.request("GET", `/api/recordings/${id}`, { answer: Recording });
  if (value.status !== "running") throw over(id);
  return value;
}

async function isSession(admin: Pick<Admin, "request">, id: string): Promise<boolean> {
  try {
    await admin.request("GET", `/api/sessions/${id}`, { answer: Session });
    return true;
  } catch (error) {
    if (isQfError(error, "ERR_NOT_FOUND")) return false;
    throw error;
  }
}

function over(id: string): QfError {
  return new QfError("ERR_CONFLICT", "its recording is over", { hint: `qf session replay ${id} plays it` });
}

function severalOf(id: string, found: readonly Recording[]): QfError {
  const ids = found.map((one) => `${one.id} (${one.kind} ${one.session_id})`).join(", ");
  return new QfError("ERR_CONFLICT", `the session ${id} has more than one recording`, {
    hint: `name one of them: ${ids}`,
  });
}

/**
 * The recording's asciicast, in pieces of whole lines. `pages` absent: those that exist now. Throws ERR_USAGE
 * when it is encrypted and no identity is given.
 */
export async function* castOf(
  admin: Pick<Admin, "request">,
  recording: Pick<Recording, "id" | "encrypted">,
  identityFile: string | undefined,
  pages: AsyncIterable<RecordingPage> = pagesOf(admin, recording),
): AsyncGenerator<string> {
  const open = recording.encrypted ? await opener(identityFile) : null;
  for await (const page of pages) {
    for (const { number, sha256, data } of page.chunks) {
      const packed = Buffer.from(data, "base64");
      if (open !== null && digestText(digestOfChunk(packed)) !== sha256) {
        throw new QfError("ERR_STATE_DAMAGED", `chunk ${number} of the recording is not what was stored`);
      }
      yield Buffer.from(open === null ? packed : await open(packed)).toString("utf8");
    }
  }
}

/**
 * The recording's pages, fetched one by one. With `more` it follows a running recording: `more` waits before
 * each further request, and resolves to false to stop.
 */
export async function* pagesOf(
  admin: Pick<Admin, "request">,
  { id }: Pick<Recording, "id">,
  more?: () => Promise<boolean>,
): AsyncGenerator<RecordingPage> {
  for (let from = 0; ; ) {
    const path = `/api/recordings/${id}/chunks?from=${from}`;
    const { value: page } = await admin.request("GET", path, { answer: RecordingPage });
    yield page;
    from = page.next;
    if (page.chunks.length > 0) continue;
    if (more === undefined || page.status !== "running" || !(await more())) return;
  }
}

async function opener(
  identityFile: string | undefined,
): Promise<(packed: Uint8Array) => Promise<Uint8Array>> {
  if (identityFile === undefined) {
    throw new QfError("ERR_USAGE", "this recording is encrypted", {
      hint: "give the age identity of one of its recipients with --identity FILE",
    });
  }
  let text: string;
  try {
    text = await readSmallFile(identityFile, IDENTITY_BYTES_MAX);
  } catch (cause) {
    throw new QfError("ERR_PERMISSION", `the file ${identityFile} cannot be read`, { cause });
  }
  return createChunkDecrypter(text);
}

function notFound(id: string): QfError {
  return new QfError("ERR_NOT_FOUND", `there is no recording ${JSON.stringify(id)}`, {
    hint: "give the id of a recording, or of a session that was recorded",
  });
}
