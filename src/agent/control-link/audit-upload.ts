/**
 * Takes the spool to management: one batch at a time, the next after its acknowledgement. What comes within
 * a moment of an event goes together with it, and batches keep a distance.
 *
 * @module
 */
import type { Spool } from "../../audit/spool-contract.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { AUDIT_BATCH_MAX } from "../../wire/log-entry.ts";
import { type AuditSigner, type AuditUploadBatch, nextSigned } from "./audit-batches.ts";

/** A batch without an answer is sent again after this; management knows repetitions by their number. */
const ANSWER_MS_MAX = 30_000;
/**
 * An event waits this long for others. A message, a transaction at management and an answer for each step of
 * a sign-in, and for each new stream, would be in the way of the next step.
 */
const GATHER_MS = 50;
/**
 * Batches begin at least this far apart, unless one would be full: a batch is signed, stored here and
 * committed at management, whatever it holds. A lone event waits for `GATHER_MS` only.
 */
const DISTANCE_MS = 200;

export interface AuditUpload {
  /** The link is up. */
  start(send: (upload: AuditUploadBatch) => void, signer: AuditSigner | null): void;
  /** The link is down: what was sent counts as not sent. */
  stop(): void;
  acknowledge(throughSeq: number): Promise<void>;
  /** Now and then: sends again what was not answered. */
  beat(): void;
  close(): void;
}

/** The upload of `spool`, which begins with the first link. */
export function createAuditUpload(options: { spool: Spool; clock: Clock; log: Log }): AuditUpload {
  return new SpoolUpload(options);
}

class SpoolUpload implements AuditUpload {
  readonly #spool: Spool;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stopListening: () => void;
  /** Sends over the link that is up. Null: there is none. */
  #send: ((upload: AuditUploadBatch) => void) | null = null;
  /** Signs what goes to this management. Null: it keeps no log. */
  #signer: AuditSigner | null = null;
  /** When the batch that waits for its answer was sent. Null: none waits. */
  #sentAtMs: number | null = null;
  /** The last batch over this link was begun or sent then, answered or not. */
  #lastSentAtMs = Number.NEGATIVE_INFINITY;
  #isReading = false;
  /** Something was stored while the spool was being read. */
  #isMoreStored = false;
  /** Runs for a moment after the first event that waits. */
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

  /** Events that come within the moment go when it is over; a backlog does not wait. */
  #isGathering(): boolean {
    return this.#gathering !== null && this.#spool.state().events < AUDIT_BATCH_MAX;
  }

  #onStored(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      // What is stored while the batch is read keeps its distance to it as well.
      this.#lastSentAtMs = this.#clock.monotonicMs();
      void this.#upload();
    }, this.#gatherMs());
    void this.#upload();
  }

  /** How long the events that begin to wait now are gathered. */
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
      // A new link came up while the old one's read was under way.
      if (this.#send !== null && this.#send !== send) void this.#upload();
    }
  }

  /** Sends the next batch over the link of `send`, where there is one by the end of the read. */
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

/** How long a stop waits for management to take the last events; the spool keeps them anyway. */
const LAST_UPLOAD_MS = 1_000;

/** Waits until management has all events, while there is a link. */
export async function lastUpload(spool: Spool, isConnected: () => boolean): Promise<void> {
  for (let waitedMs = 0; waitedMs < LAST_UPLOAD_MS && isConnected(); waitedMs += 20) {
    if ((await spool.pending(spool.nextUnacknowledged, 1)).length === 0) return;
    await Bun.sleep(20);
  }
}
