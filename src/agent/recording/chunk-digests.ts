/**
 * Collects the digests of a recording's chunks for evidence: several per event, with a hash chain over all.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { digestOfChunk, digestText, emptyChain, extendChain } from "../../recording/chunk.ts";
import type { RecordingTotals } from "../contracts/recorder.ts";

/**
 * Digests in one event. An event that follows another within a moment holds more, since each costs a batch.
 */
const DIGESTS_MAX = 64;
const BULK_DIGESTS_MAX = 256;
const MOMENT_MS = 1_000;

export interface ChunkDigestsOptions {
  readonly clock: Clock;
  /** Stores digests as evidence. False: they could not be stored. */
  note(first: number, digests: readonly string[]): Promise<boolean>;
  /** Called when digests could not be stored. */
  onLost(): void;
}

export class ChunkDigests {
  readonly #options: ChunkDigestsOptions;
  #chain = emptyChain();
  #count = 0;
  #bytes = 0;
  #waiting: string[] = [];
  #notedMs = Number.NEGATIVE_INFINITY;
  #noted: Promise<unknown> = Promise.resolve();

  constructor(options: ChunkDigestsOptions) {
    this.#options = options;
  }

  /** Over all chunks so far. */
  get totals(): RecordingTotals {
    return { chunks: this.#count, bytes: this.#bytes, digest: digestText(this.#chain) };
  }

  /** Adds the next chunk, as it is stored. Returns its number. */
  add(packed: Uint8Array): number {
    const digest = digestOfChunk(packed);
    this.#chain = extendChain(this.#chain, digest);
    this.#bytes += packed.length;
    this.#waiting.push(digestText(digest));
    const number = this.#count;
    this.#count += 1;
    const isSoon = this.#options.clock.monotonicMs() - this.#notedMs < MOMENT_MS;
    if (this.#waiting.length >= (isSoon ? BULK_DIGESTS_MAX : DIGESTS_MAX)) this.#note();
    return number;
  }

  /** Resolves once all digests are in evidence or lost. */
  async end(): Promise<void> {
    this.#note();
    await this.#noted;
  }

  #note(): void {
    const digests = this.#waiting;
    if (digests.length === 0) return;
    this.#waiting = [];
    this.#notedMs = this.#options.clock.monotonicMs();
    const noted = this.#options.note(this.#count - digests.length, digests);
    this.#noted = Promise.all([
      this.#noted,
      noted.then((isStored) => {
        if (!isStored) this.#options.onLost();
      }),
    ]);
  }
}
