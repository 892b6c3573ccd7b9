/**
 * News from the server: one stream per page, read by fetch so that it carries the header of our pages. What
 * changed is read again where it is on screen; a page that was asleep reads everything again.
 *
 * @module
 */
import type { QueryClient } from "@tanstack/react-query";
import { makeStale } from "../api/queries.ts";

/** `over`: the session is. */
export type LiveStatus = "live" | "reconnecting" | "over";

/** The end of the session that is near. */
export interface Ending {
  readonly secondsLeft: number;
  /** A request puts it off. */
  readonly mayExtend: boolean;
}

/** Who is told what. */
export interface LiveHearers {
  /** The state of the connection. */
  readonly onStatus: (status: LiveStatus) => void;
  /** The session ends soon; null: no longer. */
  readonly onEnding: (ending: Ending | null) => void;
}

/** The server says something at least every 5 s. */
const SILENCE_MS = 12_000;
const RETRY_MS = [500, 1_000, 2_000, 5_000] as const;
/** A stream that grows without an end of its message is not ours. */
const MESSAGE_CHARS_MAX = 65_536;

/** Follows until `signal`. */
export async function followLive(
  client: QueryClient,
  { onStatus, onEnding }: LiveHearers,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  let isFirst = true;
  while (!signal.aborted) {
    const watch = new AbortController();
    try {
      const response = await fetch("/api/live", {
        headers: { "x-qf-dashboard": "1" },
        signal: AbortSignal.any([signal, watch.signal]),
      });
      if (response.status === 401 || response.status === 403) return onStatus("over");
      if (!response.ok || response.body === null) throw new Error("no stream");
      onStatus("live");
      failures = 0;
      if (!isFirst) await client.invalidateQueries();
      isFirst = false;
      await readNews(response.body, watch, ({ kinds, ending }) => {
        if (ending !== undefined) onEnding(ending);
        void makeStale(client, kinds);
      });
    } catch {
      if (signal.aborted) return;
    }
    onStatus("reconnecting");
    await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 5_000, signal);
    failures += 1;
  }
}

async function readNews(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  watch: AbortController,
  onNews: (news: News) => void,
): Promise<void> {
  let silence = setTimeout(() => watch.abort(), SILENCE_MS);
  let rest = "";
  try {
    for await (const text of body.pipeThrough(new TextDecoderStream())) {
      clearTimeout(silence);
      silence = setTimeout(() => watch.abort(), SILENCE_MS);
      rest += text;
      const messages = rest.split("\n\n");
      rest = messages.pop() ?? "";
      if (rest.length > MESSAGE_CHARS_MAX) return;
      for (const message of messages) {
        const data = /^data: (.*)$/m.exec(message)?.[1];
        if (data !== undefined) onNews(newsOf(data));
      }
    }
  } finally {
    clearTimeout(silence);
  }
}

interface News {
  readonly kinds: readonly string[];
  /** Absent: nothing is said of it. */
  readonly ending?: Ending | null;
}

function newsOf(data: string): News {
  const parsed = recordOf(JSON.parse(data)) ?? {};
  const kinds = Array.isArray(parsed.kinds) ? parsed.kinds.filter((kind) => typeof kind === "string") : [];
  if (!("ending" in parsed)) return { kinds };
  const { seconds_left: secondsLeft, may_extend } = recordOf(parsed.ending) ?? {};
  if (typeof secondsLeft !== "number") return { kinds, ending: null };
  return { kinds, ending: { secondsLeft, mayExtend: may_extend === true } };
}

function recordOf(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null ? { ...value } : null;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
