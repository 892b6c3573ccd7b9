/**
 * Turns a recording's text into chunks: compressed at once, or encrypted one at a time.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { packChunk } from "../../recording/chunk.ts";

export interface ChunkSealerOptions {
  readonly clock: Clock;
  /** Null: chunks are only compressed. */
  readonly encrypt: ((text: Uint8Array) => Promise<Uint8Array>) | null;
  /** Counts bytes of text whose encryption begins, or, when negative, has ended. */
  onSealing(bytes: number): void;
  /** Takes the next chunk, the bytes shown or read in it, and when it was made. */
  onSealed(packed: Uint8Array, bytes: number, sinceMs: number): void;
  onBroken(cause: unknown): void;
}

export class ChunkSealer {
  readonly #options: ChunkSealerOptions;
  /** Settles after the last chunk that is being encrypted. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: ChunkSealerOptions) {
    this.#options = options;
  }

  /** Settles once everything so far is sealed. Never rejects. */
  get done(): Promise<void> {
    return this.#last;
  }

  /** `bytes`: how many bytes were shown or read in it. */
  seal(text: Uint8Array, bytes: number): void {
    const { clock, encrypt, onSealing, onSealed, onBroken } = this.#options;
    const sinceMs = clock.monotonicMs();
    if (encrypt === null) {
      onSealed(packChunk(text), bytes, sinceMs);
      return;
    }
    // Copied, since the writer reuses its buffer.
    const own = new Uint8Array(text);
    onSealing(own.length);
    this.#last = this.#last.then(async () => {
      try {
        onSealed(await encrypt(own), bytes, sinceMs);
      } catch (cause) {
        onBroken(cause);
      }
      onSealing(-own.length);
    });
  }
}
