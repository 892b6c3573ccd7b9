/**
 * The share of audit events that one machine may upload: a bucket of bytes for each, filled through the day.
 *
 * A machine whose share is used up is not acknowledged. It keeps the events in its spool and tries again, so
 * nothing is lost; once the spool is full nobody gets in there, and no other machine notices. Each machine's
 * shortage is reported once, until it has had room again for as long as a bucket takes to fill.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { PeerId } from "../../wire/units.ts";

const DAY_MS = 86_400_000;
/** Bytes a day for one machine: about 20 events a second without a pause, far above any that people use. */
export const AUDIT_SHARE_BYTES_DEFAULT = 1_000_000_000;
/** Machines remembered. Above it the one that was heard of least lately begins with a full bucket again. */
const PEERS_MAX = 100_000;

interface Bucket {
  /** May be below zero: a batch is taken whole, and paid for afterwards. */
  bytes: number;
  filledAtMs: number;
  isReported: boolean;
}

/** taken: may be stored. first: may not, which is news. used_up: may not, which was said already. */
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

  /** Takes a batch of `bytes` of this machine's share. */
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

  /** Puts back what was taken of a share and is not stored after all. */
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
