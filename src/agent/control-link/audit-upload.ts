/**
 * Uploads the audit spool to management. One batch is in flight at a time. Events stored within a moment of
 * each other share a batch, and batches keep a minimum distance.
 *
 * @module
 */
import type { Spool } from "../../audit/spool-contract.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { AUDIT_BATCH_MAX } from "../../wire/log-entry.ts";
import { type AuditSigner, type AuditUploadBatch, nextSigned } from "./audit-batches.ts";

/** An unanswered batch is sent again after this. Management recognises repeats by their sequence numbers. */
const ANSWER_MS_MAX = 30_000;
/**
 * An event waits this long for others. Otherwise each step of a sign-in and each new stream would cost a
 * message, a transaction at management and an answer, which would delay the next step.
 */
const GATHER_MS = 50;
/**
 * Batches begin at least this far apart, unless the next one is full: each is signed, stored here and
 * committed at management, whatever its size. A lone event waits only for `GATHER_MS`.
 */
const DISTANCE_MS = 200;

export interface AuditUpload {
  /** The link is up. */
  start(send: (upload: AuditUploadBatch) => void, signer: AuditSigner | null): void;
  /** The link is down: an unanswered batch counts as not sent. */
  stop(): void;
  acknowledge(throughSeq: number): Promise<void>;
  /** Called periodically. Sends an unanswered batch again. */
  beat(): void;
  close(): void;
}

/** Creates the upload of `spool`. It begins with the first link. */
export function createAuditUpload(options: { spool: Spool; clock: Clock; log: Log }): AuditUpload {
  return new SpoolUpload(options);
}

class SpoolUpload implements AuditUpload {
  readonly #spool: Spool;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stopListening: () => void;
  /** Sends over the current link. Null: the link is down. */
  #send: ((upload: AuditUploadBatch) => void) | null = null;
  /** Signs the batches for this management. Null: they go unsigned. */
  #signer: AuditSigner | null = null;
  /** When the unanswered batch was sent. Null: no batch is unanswered. */
  #sentAtMs: number | null = null;
  /** When the last batch over this link was begun or sent, answered or not. */
  #lastSentAtMs = Number.NEGATIVE_INFINITY;
  #isReading = false;
  /** An event was stored while the spool was being read. */
  #isMoreStored = false;
  /** Runs while events gather, from the first one that waits. */
  #gathering: NodeJS.Timeout | null = null;

  constructor({ spool, clock, log }: { spool: Spool; clock: Clock; log: Log }) {
    this.#spool = spool;
    this.#clock = clock;
    this.#log = log;
    this.#stopListening = spool.onStored(() => this.#onStored());
  }

  start(send: (upload: AuditUploadBatch) => void, signer: AuditSigner | null): void {
    this.#send = send;
    this.#signer = signer;
    this.#lastSentAtMs = Number.NEGATIVE_INFINITY;
    this.#endGathering();
    void this.#upload();
  }

  stop(): void {
    this.#send = null;
    this.#sentAtMs = null;
    this.#endGathering();
  }

  async acknowledge(throughSeq: number): Promise<void> {
    await this.#spool.acknowledge(throughSeq);
    this.#sentAtMs = null;
    void this.#upload();
  }

  beat(): void {
    if (this.#sentAtMs === null || this.#clock.monotonicMs() - this.#sentAtMs <= ANSWER_MS_MAX) return;
    this.#sentAtMs = null;
    void this.#upload();
  }

  close(): void {
    this.#stopListening();
    this.#endGathering();
    this.#send = null;
  }

  /** Whether new events wait for the gathering to end. A full batch does not wait. */
  #isGathering(): boolean {
    return this.#gathering !== null && this.#spool.state().events < AUDIT_BATCH_MAX;
  }

  #onStored(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      // Events that are stored while this batch is read keep their distance to it as well.
      this.#lastSentAtMs = this.#clock.monotonicMs();
      void this.#upload();
    }, this.#gatherMs());
    void this.#upload();
  }

  /** How long to gather events, starting now. */
  #gatherMs(): number {
    const sinceLastMs = this.#clock.monotonicMs() - this.#lastSentAtMs;
    return Math.max(GATHER_MS, DISTANCE_MS - sinceLastMs);
  }

  #endGathering(): void {
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    this.#gathering = null;
  }

  async #upload(): Promise<void> {
    const send = this.#send;
    if (this.#isReading) this.#isMoreStored = true;
    if (send === null || this.#sentAtMs !== null || this.#isReading || this.#isGathering()) return;
    this.#isReading = true;
    try {
      await this.#sendBatch(send);
    } catch (cause) {
      this.#log.error("the audit spool cannot be read", {}, cause);
    } finally {
      this.#isReading = false;
      // A new link came up during the read for the old one.
      if (this.#send !== null && this.#send !== send) void this.#upload();
    }
  }

  /** Reads the next batch and sends it with `send`, unless that link is gone by then. */
  async #sendBatch(send: (upload: AuditUploadBatch) => void): Promise<void> {
    do {
      this.#isMoreStored = false;
      const upload = await this.#next();
      if (this.#send !== send || upload === null) continue;
      this.#sentAtMs = this.#clock.monotonicMs();
      this.#lastSentAtMs = this.#sentAtMs;
      send(upload);
      return;
    } while (this.#isMoreStored && this.#send !== null && !this.#isGathering());
  }

  async #next(): Promise<AuditUploadBatch | null> {
    if (this.#signer !== null) return await nextSigned(this.#spool, this.#signer);
    const events = await this.#spool.pending(this.#spool.nextUnacknowledged, AUDIT_BATCH_MAX);
    return events.length === 0 ? null : { events };
  }
}

/** How long a stop waits for management to take the last events. The spool keeps them anyway. */
const LAST_UPLOAD_MS = 1_000;

/** Waits until management has acknowledged all events, as long as the link is up. */
export async function lastUpload(spool: Spool, isConnected: () => boolean): Promise<void> {
  for (let waitedMs = 0; waitedMs < LAST_UPLOAD_MS && isConnected(); waitedMs += 20) {
    if ((await spool.pending(spool.nextUnacknowledged, 1)).length === 0) return;
    await Bun.sleep(20);
  }
}
