/**
 * The recording of one session. Turns what is shown and typed into lines, chunks, evidence and uploads.
 *
 * A `best_effort` recording gives up quietly when it cannot continue. A `required` one holds output back
 * while management lags, and fails for good when the lag lasts. Read `output`, then `#store`.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { isQfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { CastWriter } from "../../recording/cast.ts";
import { ExactText } from "../../recording/exact-text.ts";
import type { CastHeader } from "../../wire/recording.ts";
import type {
  RecordedTerminal,
  RecordingEvidence,
  RecordingFacts,
  RecordingFailure,
  SessionRecording,
  TerminalModes,
} from "../contracts/recorder.ts";
import { Behind, type BehindLimits } from "./behind.ts";
import { ChunkDigests } from "./chunk-digests.ts";
import { ChunkSealer } from "./chunk-sealer.ts";
import { ChunkUpload } from "./chunk-upload.ts";
import { OutputGatherer } from "./output-gatherer.ts";
import type { SpooledRecording } from "./spooled-recording.ts";
import { TypedInput } from "./typed-input.ts";
import type { SendUpload } from "./upload-sender.ts";

/** Longest time that lines wait for others before they become a chunk. */
const CHUNK_MS_MAX = 1_000;
export interface RecordingParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly spooled: SpooledRecording;
  readonly header: CastHeader;
  readonly evidence: RecordingEvidence;
  readonly send: SendUpload;
  /** Null: the recording is not encrypted. */
  readonly encrypt: ((text: Uint8Array) => Promise<Uint8Array>) | null;
  readonly limits: BehindLimits;
  readonly facts: Omit<RecordingFacts, "isKeptHere">;
  /** Whether root allows a required recording to stay on this machine while management cannot store it. */
  mayWait(): boolean;
}

export class RunningRecording implements SessionRecording {
  readonly id: string;
  readonly isRequired: boolean;
  readonly #failed = Promise.withResolvers<RecordingFailure>();
  readonly failed = this.#failed.promise;
  /** Settles when its first chunk is stored at management, or it has failed. */
  readonly #begun = Promise.withResolvers<void>();
  readonly begun = this.#begun.promise;
  readonly upload: ChunkUpload;
  readonly #parts: RecordingParts;
  readonly #startMs: number;
  readonly #writer: CastWriter;
  readonly #texts = { stdout: new ExactText(), stderr: new ExactText(), input: new ExactText() };
  readonly #typed: TypedInput;
  readonly #gatherer = new OutputGatherer((data, atMs) => this.#shown(data, "stdout", atMs));
  readonly #behind: Behind;
  readonly #stdin = { bytes: 0, hasher: new Bun.CryptoHasher("sha256") };
  readonly #watch: ReturnType<typeof setInterval> | undefined;
  #terminal: RecordedTerminal | null = null;
  #flushing: ReturnType<typeof setTimeout> | null = null;
  readonly #sealer: ChunkSealer;
  readonly #digests: ChunkDigests;
  /** Bytes shown or read since the last chunk. */
  #sinceChunk = 0;
  /** Why the recording has stopped. Null: it continues. */
  #failure: RecordingFailure | null = null;

  constructor(parts: RecordingParts) {
    const { spooled, clock, header, send, mayWait } = parts;
    this.#parts = parts;
    this.id = spooled.id;
    this.isRequired = spooled.head.mode === "required";
    this.#startMs = clock.monotonicMs();
    const limits = this.isRequired ? parts.limits : null;
    this.#behind = new Behind({ clock, limits, mayWait, isAway: () => this.upload.isAway });
    this.#typed = new TypedInput({
      input: (text) => this.#event("i", text),
      mark: (text) => this.#event("m", text),
      unechoed: (lines, program) => this.#unechoed(lines, program),
      seconds: () => this.#seconds(),
      foreground: () => this.#terminal?.foreground() ?? null,
    });
    this.#digests = new ChunkDigests({
      clock,
      note: (first, digests) => parts.evidence.chunks(this.id, first, digests),
      onLost: () => this.#giveUp("failed"),
    });
    this.#sealer = new ChunkSealer({
      ...{ clock, encrypt: parts.encrypt },
      onSealing: (bytes) => this.#behind.sealing(bytes),
      onSealed: (packed, bytes, sinceMs) => this.#store(packed, bytes, sinceMs),
      onBroken: (cause) => this.#broken(cause),
    });
    this.#writer = new CastWriter(header, (text) => this.#seal(text));
    this.upload = new ChunkUpload({
      recording: spooled,
      send,
      onStored: (next) => this.#acknowledged(next),
      onAway: () => this.#behind.look(),
      onFull: (message) => {
        parts.log.warn("management takes no more recordings now", { recordingId: this.id, message });
        if (this.isRequired) this.#giveUp("refused");
      },
      onRefused: (why, message) => {
        parts.log.warn("management refuses a recording", { recordingId: this.id, message });
        this.#giveUp(why);
      },
    });
    const lookMs = Math.min(CHUNK_MS_MAX, parts.limits.failedAfterMs / 4);
    if (this.isRequired) this.#watch = setInterval(() => this.#checkBehind(), lookMs).unref();
    this.#writer.flush();
  }

  get facts(): RecordingFacts {
    return { ...this.#parts.facts, isKeptHere: this.#isKeptHere };
  }

  /** Management has none of it yet, but the session may continue. */
  get #isKeptHere(): boolean {
    const { spooled, mayWait } = this.#parts;
    return this.isRequired && spooled.first === 0 && spooled.next > 0 && this.upload.isAway && mayWait();
  }

  get hasFailed(): boolean {
    return this.isRequired && this.#failure !== null;
  }

  /** Gives up a recording whose session did not begin and will not. */
  async abandon(why: RecordingFailure): Promise<void> {
    this.#giveUp(why);
    await this.end();
  }

  attach(terminal: RecordedTerminal): void {
    this.#terminal = terminal;
  }

  output(data: Uint8Array, stream: "stdout" | "stderr"): Promise<void> | null {
    if (this.#failure !== null) return null;
    if (this.#terminal !== null && this.#typed.isWaiting) this.#typed.shown(data, this.#terminal.modes());
    if (stream === "stderr") this.#shown(data, stream, this.#parts.clock.monotonicMs());
    else this.#gatherer.add(data, this.#parts.clock.monotonicMs());
    this.#flushing ??= setTimeout(() => this.#flush(), CHUNK_MS_MAX);
    return this.#behind.hold();
  }

  input(data: Uint8Array): Promise<void> | null {
    if (this.#failure !== null) return null;
    if (!this.isRequired && !this.#parts.facts.hasAllInput) {
      this.#stdin.bytes += data.length;
      this.#stdin.hasher.update(data);
      return null;
    }
    const text = this.#texts.input.read(data);
    if (text !== "") this.#event("i", text);
    return this.#behind.hold();
  }

  typed(data: Uint8Array, before: TerminalModes, after: TerminalModes): void {
    if (this.#failure !== null) return;
    if (!this.#parts.facts.hasAllInput) {
      this.#typed.typed(data, before, after);
      return;
    }
    const text = this.#texts.input.read(data);
    if (text !== "") this.#event("i", text);
  }

  resize({ cols, rows }: { readonly cols: number; readonly rows: number }): void {
    this.#event("r", `${cols}x${rows}`);
  }

  async end(): Promise<void> {
    this.#gatherer.flush();
    this.#typed.end();
    for (const [name, reader] of Object.entries(this.#texts)) {
      const rest = reader.end();
      if (rest !== "") this.#event(name === "input" ? "i" : "o", rest);
    }
    if (this.#stdin.bytes > 0) {
      const digest = this.#stdin.hasher.digest("base64url");
      this.#event("m", `standard input: ${this.#stdin.bytes} bytes, SHA-256 ${digest}`);
    }
    this.#flush();
    await this.#sealer.done;
    await this.#digests.end();
    const why = this.#failure;
    const end = { status: why === null ? "complete" : "cut", why } as const;
    const isEvident = await this.#parts.evidence.ended(this.id, { ...end, ...this.#digests.totals });
    if (!isEvident) this.#giveUp("failed");
    this.#finishSpool(end);
    this.upload.wake();
    const kept = this.#parts.mayWait() ? [this.upload.away()] : [];
    if (this.isRequired) await Promise.race([this.upload.done, this.failed, ...kept]);
    clearInterval(this.#watch);
  }

  #shown(data: Uint8Array, stream: "stdout" | "stderr", atMs: number): void {
    if (stream === "stderr") this.#gatherer.flush();
    if (this.#failure !== null) return;
    const reader = this.#texts[stream];
    const seconds = this.#secondsAt(atMs);
    this.#sinceChunk += data.length;
    const taken = reader.isWithin ? 0 : this.#writer.ascii(seconds, "o", data);
    if (taken === data.length) return;
    const text = reader.read(data.subarray(taken));
    if (text !== "") this.#writer.event(seconds, "o", text);
  }

  #finishSpool(end: Parameters<SpooledRecording["finish"]>[0]): void {
    try {
      this.#parts.spooled.finish(end);
    } catch {
      this.#giveUp("failed");
    }
  }

  #seconds(): number {
    return this.#secondsAt(this.#parts.clock.monotonicMs());
  }

  #secondsAt(ms: number): number {
    return Math.max(0, ms - this.#startMs) / 1000;
  }

  #event(code: "o" | "i" | "r" | "m", text: string): void {
    if (this.#failure !== null) return;
    this.#gatherer.flush();
    this.#sinceChunk += text.length;
    this.#writer.event(this.#seconds(), code, text);
    this.#flushing ??= setTimeout(() => this.#flush(), CHUNK_MS_MAX);
  }

  #flush(): void {
    if (this.#flushing !== null) clearTimeout(this.#flushing);
    this.#flushing = null;
    this.#gatherer.flush();
    this.#writer.flush();
  }

  #seal(text: Uint8Array): void {
    if (this.#failure !== null) return;
    const bytes = this.#sinceChunk;
    this.#sinceChunk = 0;
    this.#sealer.seal(text, bytes);
  }

  #store(packed: Uint8Array, bytes: number, sinceMs: number): void {
    if (this.#failure !== null) return;
    try {
      this.#parts.spooled.append(packed);
    } catch (cause) {
      this.#broken(cause);
      return;
    }
    this.#behind.add(this.#digests.add(packed), bytes, sinceMs);
    this.upload?.wake();
  }

  #broken(cause: unknown): void {
    const { log } = this.#parts;
    log.warn("a recording cannot go on", { recordingId: this.id }, cause);
    this.#giveUp(isQfError(cause, "ERR_TOO_MANY") ? "spool_full" : "failed");
  }

  #giveUp(why: RecordingFailure): void {
    if (this.#failure !== null) return;
    this.#failure = why;
    clearInterval(this.#watch);
    this.#begun.resolve();
    if (this.isRequired) this.#failed.resolve(why);
    this.#behind.end();
  }

  #unechoed(lines: number, program: string): void {
    const { evidence } = this.#parts;
    void evidence.unechoed(this.id, lines, program.slice(0, 64));
    if (this.isRequired) this.#giveUp("unechoed");
  }

  #acknowledged(next: number): void {
    this.#begun.resolve();
    this.#behind.stored(next);
  }

  #checkBehind(): void {
    if (this.#behind.isTooFar) this.#giveUp("management_away");
  }
}
