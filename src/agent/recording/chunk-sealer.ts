/**
 * Turns a recording's text into chunks, in order: small ones are compressed at once, large ones on other
 * threads while the session goes on, and encrypted ones one at a time.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { releaseBuffer } from "../../base/release-buffer.ts";
import { packChunk, packChunkAside } from "../../recording/chunk.ts";

/** Text from this size on is compressed on another thread. Handing over less costs as much as it saves. */
const ASIDE_BYTES_MIN = 16_384;

export interface ChunkSealerOptions {
  readonly clock: Clock;
  /** Null: chunks are only compressed. */
  readonly encrypt: ((text: Uint8Array) => Promise<Uint8Array>) | null;
  /** Counts bytes of text that is being sealed, or, when negative, no longer is. */
  onSealing(bytes: number): void;
  /** Takes the next chunk, the bytes shown or read in it, and when it was made. */
  onSealed(packed: Uint8Array, bytes: number, sinceMs: number): void;
  onBroken(cause: unknown): void;
}

export class ChunkSealer {
  readonly #options: ChunkSealerOptions;
  /** Settles after the last chunk that is being sealed. */
  #last: Promise<void> = Promise.resolve();
  /** Chunks that are being sealed. */
  #pending = 0;

  constructor(options: ChunkSealerOptions) {
    this.#options = options;
  }

  /** Settles once everything so far is sealed. Never rejects. */
  get done(): Promise<void> {
    return this.#last;
  }

  /** `bytes`: how many bytes were shown or read in it. */
  seal(text: Uint8Array, bytes: number): void {
    const { clock, encrypt, onSealed } = this.#options;
    const sinceMs = clock.monotonicMs();
    if (encrypt === null && this.#pending === 0 && text.length < ASIDE_BYTES_MIN) {
      onSealed(packChunk(text), bytes, sinceMs);
      return;
    }
    // Copied, since the writer reuses its buffer.
    const own = new Uint8Array(text);
    if (encrypt !== null) {
      this.#queue(own, () => encrypt(own), bytes, sinceMs);
      return;
    }
    const packing = packChunkAside(own);
    // Its turn may come later; it is told then.
    packing.catch(() => {});
    this.#queue(own, () => packing.finally(() => releaseBuffer(own)), bytes, sinceMs);
  }

  #queue(own: Uint8Array, sealed: () => Promise<Uint8Array>, bytes: number, sinceMs: number): void {
    const { onSealing, onSealed, onBroken } = this.#options;
    const { length } = own;
    this.#pending += 1;
    onSealing(length);
    this.#last = this.#last.then(async () => {
      try {
        onSealed(await sealed(), bytes, sinceMs);
      } catch (cause) {
        onBroken(cause);
      }
      this.#pending -= 1;
      onSealing(-length);
    });
  }
}
