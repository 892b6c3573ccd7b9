/**
 * Uploads one recording from the spool to management, in order. Resumes after a lost link, until management
 * has all of it or refuses it.
 *
 * @module
 */
import {
  RECORDING_CHUNKS_MAX,
  RECORDING_UPLOAD_CHUNK_BYTES_MAX,
  type RecordingUploadAnswer,
} from "../../wire/recording.ts";
import type { RecordingFailure } from "../contracts/recorder.ts";
import type { SpooledRecording } from "./spooled-recording.ts";
import type { SendUpload } from "./upload-sender.ts";

/**
 * Chunks that make an upload of a required recording worthwhile. Output is held back while more than 1 MB,
 * about 20 chunks, is not stored. So most of them go up while the others come.
 */
const REQUIRED_CHUNKS = 13;
/** Chunks that an older management takes at once. */
const OLD_CHUNKS_MAX = 16;
/** Shortest distance between small uploads. Each costs a request, a transaction and two disk syncs. */
const GATHER_MS = 100;
/** First and longest wait after an upload without an answer. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;
/** Wait for management to learn of the session: events go up a moment after they are stored. */
const UNREPORTED_MS = 60;
/** Wait for room in the machine's daily share. The rest stays in the spool. */
const FULL_MS = 60_000;
/** Attempts every UNREPORTED_MS, and attempts in all. Events may be held up for as long as a link is down. */
const UNREPORTED_SOON_MAX = 200;
const UNREPORTED_MAX = 500;

export interface ChunkUploadOptions {
  readonly recording: SpooledRecording;
  readonly send: SendUpload;
  /** For tests. Absent: the default times. */
  readonly gatherMs?: number;
  readonly fullMs?: number;
  /** Management has every chunk before `next`. */
  onStored?(next: number): void;
  /** Management did not answer, or its store is unavailable. Called each time; the upload is retried. */
  onAway?(): void;
  /** Management takes no more from this machine today. Called once; the upload is retried. */
  onFull?(message: string): void;
  /** Management refuses the recording for good. */
  onRefused?(why: RecordingFailure, message: string): void;
}

export class ChunkUpload {
  readonly #options: ChunkUploadOptions;
  #wake: () => void = () => {};
  #isClosed = false;
  #isOver = false;
  #isRefused = false;
  #retryMs = RETRY_MS_MIN;
  #unreported = 0;
  #isFullTold = false;
  #isAway = false;
  #turnsAway: PromiseWithResolvers<void> | null = null;
  /** Most chunks in one upload. */
  #countMax = RECORDING_CHUNKS_MAX;
  #storedMs = Number.NEGATIVE_INFINITY;
  /** Settles when everything is stored, when management refuses, or at `close`. Never rejects. */
  readonly done: Promise<void>;

  constructor(options: ChunkUploadOptions) {
    this.#options = options;
    this.done = this.#run();
  }

  /** Whether management has the whole recording. */
  get isStored(): boolean {
    const { recording } = this.#options;
    return this.#isOver && recording.end !== null;
  }

  /** Whether management refuses the recording for good. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Whether management could not store anything at the last attempt. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** Settles once an attempt has found management away. At once when the last attempt did. */
  away(): Promise<void> {
    if (!this.#isAway) this.#turnsAway ??= Promise.withResolvers<void>();
    return this.#turnsAway?.promise ?? Promise.resolve();
  }

  /** There are more chunks, or management may be back. */
  wake(): void {
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#isClosed && !this.#isOver) {
      const { first, next, end } = this.#options.recording;
      if (first === next && end === null) await this.#news();
      else {
        await this.#gather();
        if (!this.#isClosed) await this.#step();
      }
    }
  }

  /**
   * Whether to upload without waiting for more. The first chunk begins the recording and the last one ends
   * it, so neither waits.
   */
  get #isEnough(): boolean {
    const { first, next, end, head } = this.#options.recording;
    const enough = head.mode === "required" ? REQUIRED_CHUNKS : this.#countMax;
    return this.#isClosed || first === 0 || end !== null || next - first >= enough;
  }

  /** Waits until there is enough for an upload, or the last one was long enough ago. */
  async #gather(): Promise<void> {
    const waitMs = this.#storedMs + (this.#options.gatherMs ?? GATHER_MS) - performance.now();
    if (this.#isEnough || waitMs <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    this.#wake = () => {
      if (this.#isEnough) resolve();
    };
    await promise;
    clearTimeout(timer);
  }

  async #step(): Promise<void> {
    const { recording, send } = this.#options;
    const { id: recordingId, head, first, next, end } = recording;
    let answer: RecordingUploadAnswer;
    let count = 0;
    try {
      const chunks = recording.read({
        countMax: this.#countMax,
        bytesMax: RECORDING_UPLOAD_CHUNK_BYTES_MAX,
      });
      count = chunks.length;
      const isLast = end !== null && first + chunks.length === next;
      answer = await send(
        {
          recordingId,
          first,
          sizes: chunks.map(({ length }) => length),
          ...(first === 0 ? { head } : {}),
          ...(isLast ? { end } : {}),
        },
        chunks,
      );
      if (this.#isClosed) return;
      if (answer.refusal === undefined) {
        this.#retryMs = RETRY_MS_MIN;
        this.#isOver = isLast;
        return this.#stored(answer.next);
      }
    } catch {
      return this.#pause();
    }
    if (answer.refusal.code === "refused" && count > OLD_CHUNKS_MAX) this.#countMax = OLD_CHUNKS_MAX;
    else await this.#refused(answer.next, answer.refusal);
  }

  #stored(next: number): void {
    const { recording, onStored } = this.#options;
    this.#storedMs = performance.now();
    this.#isAway = false;
    recording.acknowledge(next);
    onStored?.(next);
  }

  async #refused(
    next: number,
    { code, message }: NonNullable<RecordingUploadAnswer["refusal"]>,
  ): Promise<void> {
    const { recording, onRefused } = this.#options;
    // The chunks are stored, but the answer was lost.
    if (code === "duplicate" && next > recording.first && next <= recording.next) return this.#stored(next);
    if (code === "unavailable") return await this.#pause();
    if (code === "full") return await this.#full(message);
    if (code === "unreported" && this.#unreported++ < UNREPORTED_MAX) {
      return await this.#sleep(this.#unreported > UNREPORTED_SOON_MAX ? RETRY_MS_MAX : UNREPORTED_MS);
    }
    if (code === "over" && recording.end !== null && next >= recording.next) {
      this.#isOver = true;
      return this.#stored(recording.next);
    }
    this.#isRefused = true;
    this.#isClosed = true;
    onRefused?.("refused", message);
  }

  async #full(message: string): Promise<void> {
    const { fullMs = FULL_MS, onFull } = this.#options;
    if (!this.#isFullTold) onFull?.(message);
    this.#isFullTold = true;
    await this.#sleep(fullMs);
  }

  async #pause(): Promise<void> {
    const waitMs = this.#retryMs;
    this.#isAway = true;
    this.#turnsAway?.resolve();
    this.#turnsAway = null;
    this.#options.onAway?.();
    this.#retryMs = Math.min(2 * waitMs, RETRY_MS_MAX);
    await this.#sleep(waitMs);
  }

  /** Waits for more chunks. */
  #news(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  /** New chunks do not make management answer sooner, so only `close` ends the wait early. */
  async #sleep(ms: number): Promise<void> {
    if (this.#isClosed) return; // Closed while the request was under way.
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = () => {
      if (this.#isClosed) resolve();
    };
    await promise;
    clearTimeout(timer);
  }
}
