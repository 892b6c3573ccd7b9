/**
 * Relayed streams of pages. Each ends within a second of the dashboard session that opened it.
 *
 * A session is checked once, however many streams it has.
 *
 * @module
 */
import type { PageSession } from "./relay-hub.ts";
import type { Stream } from "./streams.ts";

const LOOK_MS = 500;
/** Sessions that are checked at once. */
const ASKED_MAX = 16;

interface Opened {
  /** From the request of one of its streams. */
  readonly isLive: PageSession["isLive"];
  readonly streams: Set<Stream>;
}

export class PageStreams {
  readonly #end: (stream: Stream) => void;
  readonly #sessions = new Map<string, Opened>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #isLooking = false;

  constructor(end: (stream: Stream) => void) {
    this.#end = end;
  }

  /** `isLive` tells whether the session still exists; a rejection counts as no. */
  add(stream: Stream, { sessionId, isLive }: PageSession): void {
    const known = this.#sessions.get(sessionId);
    if (known !== undefined) known.streams.add(stream);
    else this.#sessions.set(sessionId, { isLive, streams: new Set([stream]) });
    this.#timer ??= setInterval(() => void this.look(), LOOK_MS);
  }

  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const ids = [...this.#sessions.keys()];
      for (let at = 0; at < ids.length; at += ASKED_MAX) {
        await Promise.all(ids.slice(at, at + ASKED_MAX).map((id) => this.#lookAt(id)));
      }
    } finally {
      this.#isLooking = false;
    }
    if (this.#sessions.size === 0) this.stop();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #lookAt(sessionId: string): Promise<void> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    for (const stream of session.streams) if (stream.isOver) session.streams.delete(stream);
    // A stream opened during the check was admitted by a later one, so it is left out.
    const asked = [...session.streams];
    if (asked.length > 0 && !(await session.isLive().catch(() => false))) {
      for (const stream of asked) {
        session.streams.delete(stream);
        if (!stream.isOver) this.#end(stream);
      }
    }
    if (session.streams.size === 0) this.#sessions.delete(sessionId);
  }
}
