/**
 * Gathers a recording's output. A terminal delivers 4 kB at a time, and pieces that come within a moment
 * become one event.
 *
 * @module
 */

/** Pieces that follow the first within this time join its event. */
const MOMENT_MS = 5;
const BUFFER_BYTES = 32_768;

export class OutputGatherer {
  readonly #emit: (data: Uint8Array, atMs: number) => void;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #used = 0;
  #sinceMs = 0;

  /** `emit` must not keep its bytes after it returns: the buffer is reused. */
  constructor(emit: (data: Uint8Array, atMs: number) => void) {
    this.#emit = emit;
  }

  add(data: Uint8Array, nowMs: number): void {
    if (nowMs - this.#sinceMs > MOMENT_MS || this.#used + data.length > BUFFER_BYTES) this.flush();
    if (data.length > BUFFER_BYTES) {
      this.#emit(data, nowMs);
      return;
    }
    if (this.#used === 0) this.#sinceMs = nowMs;
    this.#buffer.set(data, this.#used);
    this.#used += data.length;
  }

  /** Emits what is gathered. To be called before any other event is written. */
  flush(): void {
    if (this.#used === 0) return;
    const data = this.#buffer.subarray(0, this.#used);
    this.#used = 0;
    this.#emit(data, this.#sinceMs);
  }
}
