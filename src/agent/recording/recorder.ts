/**
 * The agent's recorder. Begins recordings, and uploads those that an earlier agent left in the spool.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../../base/clock.ts";
import type { Ed25519Key } from "../../base/ed25519.ts";
import type { Log } from "../../base/log.ts";
import { newId } from "../../base/random.ts";
import type { Enrolled } from "../../wire/agent-state-file.ts";
import type { CastHeader, RecordingHead } from "../../wire/recording.ts";
import type { Recorder, RecordingRequest, SessionRecording } from "../contracts/recorder.ts";
import { BEHIND_LIMITS, type BehindLimits } from "./behind.ts";
import { ChunkUpload } from "./chunk-upload.ts";
import { RecordingSpool, type SpoolBounds } from "./recording-spool.ts";
import { RunningRecording } from "./session-recording.ts";
import type { SpooledRecording } from "./spooled-recording.ts";
import { createUploadSender, type SendUpload } from "./upload-sender.ts";

/** Longest wait for management to store the header of a required recording. */
const HEADER_MS_MAX = 10_000;
/**
 * Characters of a command in the header, which has to fit into a chunk. The session's event has the whole
 * command.
 */
const HEADER_COMMAND_MAX = 8_192;
/** Above this many uploads, a recording whose session did not begin is dropped. */
const ABANDONED_MAX = 64;
/** How long a stop waits for the last chunks of recordings that have ended. The spool keeps them anyway. */
const LAST_MS = 1_000;

export interface RecorderOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Folder of the spool. */
  readonly directory: string;
  readonly enrolled: Enrolled;
  readonly deviceKey: Ed25519Key;
  /** Recipients of recordings that begin from now on. Empty: recordings are not encrypted. */
  recipients(): readonly string[];
  /** Whether root allows required recordings to stay on this machine while management cannot store them. */
  mayWait?(): boolean;
  /** When the recipients were first seen to have changed. Null: not lately. */
  otherKeysSinceSeconds?(recipients: readonly string[]): number | null;
  /** For tests. Absent: HTTP and the default bounds. */
  readonly send?: SendUpload;
  readonly limits?: BehindLimits;
  readonly bounds?: SpoolBounds;
  readonly headerMsMax?: number;
}

/** Opens the spool and begins to upload what is left in it. Throws system errors. */
export function createRecorder(options: RecorderOptions): Recorder {
  return new SpoolRecorder(options);
}

class SpoolRecorder implements Recorder {
  readonly #options: RecorderOptions;
  readonly #spool: RecordingSpool;
  readonly #stopped = new AbortController();
  readonly #send: SendUpload;
  readonly #uploads = new Map<ChunkUpload, SpooledRecording>();

  constructor(options: RecorderOptions) {
    const { directory, enrolled, deviceKey, bounds } = options;
    this.#options = options;
    this.#spool = new RecordingSpool(directory, bounds);
    this.#send = options.send ?? createUploadSender(enrolled, deviceKey, this.#stopped.signal);
    for (const left of this.#spool.leftOvers()) this.#resume(left);
  }

  encrypts(): boolean {
    return this.#options.recipients().length > 0;
  }

  async open(request: RecordingRequest): Promise<SessionRecording | null> {
    const { log } = this.#options;
    try {
      return await this.#open(request);
    } catch (cause) {
      log.warn("a recording cannot be made", { connectionId: request.connectionId }, cause);
      return null;
    }
  }

  async close(): Promise<void> {
    const uploads = [...this.#uploads];
    const ended = uploads.filter(([, { end }]) => end !== null).map(([upload]) => upload.done);
    await Promise.race([Promise.all(ended), Bun.sleep(LAST_MS)]);
    this.#stopped.abort();
    for (const [upload] of uploads) upload.close();
    await Promise.all(uploads.map(([upload]) => upload.done));
    this.#spool.close();
  }

  async #open(request: RecordingRequest): Promise<SessionRecording | null> {
    const { clock, log, limits = BEHIND_LIMITS, mayWait = () => false } = this.#options;
    const recipients = [...this.#options.recipients()];
    // All typed input is kept only in encrypted recordings.
    const hasAllInput = request.allInput && recipients.length > 0;
    if (request.allInput && !hasAllInput) {
      log.warn("input is not kept whole, since recordings are not encrypted here", {
        id: request.connectionId,
      });
      if (request.mode === "required") return null;
    }
    const head = headOf(request, { startedAtSeconds: nowSeconds(clock), recipients });
    const encrypt = recipients.length === 0 ? null : await encrypterFor(recipients);
    const id = newId();
    if (!(await request.evidence.started(id, recipients.length))) return null;
    const spooled = this.#spool.create(id, head);
    const recording = new RunningRecording({
      ...{ clock, log, spooled, encrypt, limits, mayWait, send: this.#send },
      facts: {
        hasAllInput,
        isEncrypted: encrypt !== null,
        otherKeysSinceSeconds: this.#options.otherKeysSinceSeconds?.(recipients) ?? null,
      },
      evidence: request.evidence,
      header: headerOf(request, { id, head, hasAllInput, peerId: this.#options.enrolled.peerId }),
    });
    this.#follow(recording.upload, spooled);
    if (!recording.isRequired) return recording;
    const timer = Promise.withResolvers<void>();
    const timeout = setTimeout(timer.resolve, this.#options.headerMsMax ?? HEADER_MS_MAX);
    const kept = mayWait() ? [recording.upload.away()] : [];
    await Promise.race([recording.begun, timer.promise, ...kept]);
    clearTimeout(timeout);
    const isStored = spooled.first > 0 || recording.facts.isKeptHere;
    if (isStored && !recording.hasFailed) return recording;
    await recording.abandon("management_away");
    // Management may have stored the header although its answer was lost. The upload tells it of the end once
    // it is back.
    if (this.#uploads.size > ABANDONED_MAX) this.#drop(recording.upload, spooled);
    return null;
  }

  /** Gives up the upload and deletes the recording. */
  #drop(upload: ChunkUpload, spooled: SpooledRecording): void {
    upload.close();
    spooled.remove();
  }

  #resume(left: SpooledRecording): void {
    try {
      if (left.end === null) left.finish({ status: "cut", why: "agent_stopped" });
    } catch (cause) {
      this.#options.log.warn("a recording that was left cannot be ended", { recordingId: left.id }, cause);
      return;
    }
    if (left.first === left.next) left.remove();
    else this.#follow(this.#uploadOf(left), left);
  }

  #uploadOf(left: SpooledRecording): ChunkUpload {
    const { log } = this.#options;
    const say = (what: string) => (message: string) => log.warn(what, { recordingId: left.id, message });
    const refused = say("management refuses a recording that was left");
    return new ChunkUpload({
      recording: left,
      send: this.#send,
      onFull: say("management takes no more recordings now"),
      onRefused: (_why, message) => refused(message),
    });
  }

  #follow(upload: ChunkUpload, spooled: SpooledRecording): void {
    this.#uploads.set(upload, spooled);
    void upload.done.then(() => {
      this.#uploads.delete(upload);
      try {
        if (upload.isStored || upload.isRefused) spooled.remove();
        else spooled.close();
      } catch (cause) {
        this.#options.log.warn("a recording stays in the spool", { recordingId: spooled.id }, cause);
      }
    });
  }
}

/** Loads age only for the first encrypted recording: most machines make none. */
async function encrypterFor(recipients: readonly string[]) {
  const { createChunkEncrypter } = await import("../../recording/age-chunk.ts");
  return createChunkEncrypter(recipients);
}

function headOf(
  { connectionId, sessionId, userId, localUser, kind, mode }: RecordingRequest,
  more: Pick<RecordingHead, "startedAtSeconds" | "recipients">,
): RecordingHead {
  return { connectionId, sessionId, userId, localUser, kind, mode, ...more };
}

interface HeaderFacts {
  readonly id: string;
  readonly head: RecordingHead;
  readonly hasAllInput: boolean;
  readonly peerId: string;
}

function headerOf(
  { size, terminalType, command }: RecordingRequest,
  { id, head, hasAllInput, peerId }: HeaderFacts,
): CastHeader {
  const { connectionId, sessionId, userId, localUser, kind, mode, startedAtSeconds } = head;
  return {
    version: 2,
    width: size.cols,
    height: size.rows,
    timestamp: startedAtSeconds,
    ...(terminalType === null ? {} : { env: { TERM: terminalType } }),
    qufabric: {
      ...{ recordingId: id, peerId, connectionId, sessionId, userId, localUser, kind, mode },
      ...(hasAllInput ? { input: "all" } : {}),
      ...(command === null ? {} : { command: command.slice(0, HEADER_COMMAND_MAX) }),
    },
  };
}
