/**
 * Relayed streams of pages: each ends within a second of the session by which it was opened.
 *
 * @module
 */
import type { Stream } from "./streams.ts";

const LOOK_MS = 500;

export class PageStreams {
  readonly #end: (stream: Stream) => void;
  readonly #open = new Map<Stream, () => Promise<boolean>>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #isLooking = false;

  constructor(end: (stream: Stream) => void) {
    this.#end = end;
  }

  /** `isLive`: whether the session is still there. What it throws counts as no. */
  add(stream: Stream, isLive: () => Promise<boolean>): void {
    this.#open.set(stream, isLive);
    this.#timer ??= setInterval(() => void this.look(), LOOK_MS);
  }

  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      for (const [stream, isLive] of [...this.#open]) {
        if (!stream.isOver && (await isLive().catch(() => false))) continue;
        this.#open.delete(stream);
        if (!stream.isOver) this.#end(stream);
      }
    } finally {
      this.#isLooking = false;
    }
    if (this.#open.size === 0) this.stop();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
