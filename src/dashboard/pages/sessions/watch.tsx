/**
 * The screen of a session that goes on, about a second behind. News that there is more of its recording come
 * with the page's stream, so nothing is asked for in vain.
 *
 * @module
 */
import { useEffect, useRef, useState } from "react";
import { FailureNotice } from "../../components/notice.tsx";
import { CastLines } from "../../recording/cast.ts";
import { chunkTexts } from "../../recording/recording-chunks.ts";
import type { WatchScreen } from "../../recording/watch-screen.ts";
import type { Recording } from "./recording-words.ts";

export function Watch({ recording }: { readonly recording: Recording }) {
  const { id, chunks } = recording;
  const element = useRef<HTMLDivElement>(null);
  const [follower, setFollower] = useState<Follower | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    const stop = new AbortController();
    const begin = async (): Promise<void> => {
      const { openWatchScreen } = await import("../../recording/watch-screen.ts");
      if (element.current === null || stop.signal.aborted) return;
      setFollower(new Follower(id, openWatchScreen(element.current), stop.signal));
    };
    void begin();
    return () => stop.abort();
  }, [id]);
  useEffect(() => {
    follower?.follow(chunks).catch(setError);
  }, [follower, chunks]);
  return (
    <>
      {error === null ? null : <FailureNotice error={error} />}
      <section aria-label="Screen" className="overflow-x-auto rounded-lg border border-line bg-sunken p-2">
        <div ref={element} className="min-h-40" />
      </section>
      <p className="text-soft">
        You see what the person sees, a moment later. Nothing that you type here reaches the session, and it
        goes on when you leave. That you watch is in the audit log.
      </p>
    </>
  );
}

/** Reads what there is, one reading at a time. */
class Follower {
  readonly #id: string;
  readonly #screen: WatchScreen;
  readonly #signal: AbortSignal;
  readonly #lines = new CastLines();
  #next = 0;
  #wanted = 0;
  #isReading = false;

  constructor(id: string, screen: WatchScreen, signal: AbortSignal) {
    this.#id = id;
    this.#screen = screen;
    this.#signal = signal;
    signal.addEventListener("abort", () => screen.close());
  }

  /** `chunks`: how many there are, as far as is known. */
  async follow(chunks: number): Promise<void> {
    this.#wanted = Math.max(this.#wanted, chunks);
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#next < this.#wanted && !this.#signal.aborted) {
        const before = this.#next;
        await this.#read();
        if (this.#next === before) break;
      }
    } catch (cause) {
      if (!this.#signal.aborted) throw cause;
    } finally {
      this.#isReading = false;
    }
  }

  async #read(): Promise<void> {
    for await (const { text, next } of chunkTexts(this.#id, this.#next, this.#signal)) {
      const isFirst = this.#next === 0;
      const events = this.#lines.read(text);
      if (isFirst) this.#screen.resize(this.#lines.size);
      this.#screen.show(events);
      this.#next = next;
    }
  }
}
