/**
 * Makes chunks of a recording's text: compressed at once, or encrypted one after the other.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { packChunk } from "../../recording/chunk.ts";

export interface ChunkSealerOptions {
  readonly clock: Clock;
  /** Null: it is not encrypted. */
  readonly encrypt: ((text: Uint8Array) => Promise<Uint8Array>) | null;
  /** Bytes of text that are being encrypted, or no longer are. */
  onSealing(bytes: number): void;
  /** The next chunk, what was shown in it, and when it was made. */
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

  /** `bytes`: what was shown or read in it. */
  seal(text: Uint8Array, bytes: number): void {
    const { clock, encrypt, onSealing, onSealed, onBroken } = this.#options;
    const sinceMs = clock.monotonicMs();
    if (encrypt === null) {
      onSealed(packChunk(text), bytes, sinceMs);
      return;
    }
    // A copy: the writer goes on in the same bytes.
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
