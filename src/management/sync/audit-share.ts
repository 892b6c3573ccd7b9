/**
 * The share of audit events that each machine may upload: a token bucket of bytes, refilled through the day.
 *
 * A machine whose share is used up gets no acknowledgement. It keeps the events in its spool and tries again,
 * so nothing is lost. If the spool fills up, that machine admits no one; other machines are not affected. A
 * shortage is reported once, and again only after the bucket was full in between.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { PeerId } from "../../wire/units.ts";

const DAY_MS = 86_400_000;
/** Bytes per day for one machine: about 20 events a second without pause, far above what people cause. */
export const AUDIT_SHARE_BYTES_DEFAULT = 1_000_000_000;
/** Machines remembered. Beyond that, the one idle for longest starts with a full bucket again. */
const PEERS_MAX = 100_000;

interface Bucket {
  /** May be negative: a batch is taken whole and paid for afterwards. */
  bytes: number;
  filledAtMs: number;
  isReported: boolean;
}

/** taken: may be stored. first: the share is used up, which is new. used_up: it still is. */
export type ShareAnswer = "taken" | "used_up" | "first";

export class AuditShare {
  readonly #clock: Clock;
  readonly #bytesPerDay: number;
  readonly #buckets = new Map<PeerId, Bucket>();

  /** `bytesPerDay` 0: no limit. A bucket holds a day's share. */
  constructor(clock: Clock, bytesPerDay = AUDIT_SHARE_BYTES_DEFAULT) {
    this.#clock = clock;
    this.#bytesPerDay = bytesPerDay;
  }

  /** Takes `bytes` for a batch from this machine's share. */
  take(peerId: PeerId, bytes: number): ShareAnswer {
    if (this.#bytesPerDay === 0) return "taken";
    const bucket = this.#fill(peerId);
    if (bucket.bytes > 0) {
      bucket.bytes -= bytes;
      return "taken";
    }
    if (bucket.isReported) return "used_up";
    bucket.isReported = true;
    return "first";
  }

  /** Returns `bytes` that were taken but not stored. */
  giveBack(peerId: PeerId, bytes: number): void {
    if (this.#bytesPerDay > 0) this.#fill(peerId).bytes += bytes;
  }

  isUsedUp(peerId: PeerId): boolean {
    return this.#buckets.has(peerId) && this.#fill(peerId).bytes <= 0;
  }

  #fill(peerId: PeerId): Bucket {
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(peerId) ?? {
      bytes: this.#bytesPerDay,
      filledAtMs: nowMs,
      isReported: false,
    };
    const gained = ((nowMs - bucket.filledAtMs) * this.#bytesPerDay) / DAY_MS;
    bucket.bytes = Math.min(this.#bytesPerDay, bucket.bytes + gained);
    bucket.filledAtMs = nowMs;
    if (bucket.bytes === this.#bytesPerDay) bucket.isReported = false;
    this.#buckets.delete(peerId);
    this.#buckets.set(peerId, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > PEERS_MAX && oldest !== undefined) this.#buckets.delete(oldest);
    return bucket;
  }
}
