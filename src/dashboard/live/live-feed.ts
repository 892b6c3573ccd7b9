/**
 * The live feed: one event stream from the server per page, read with fetch so that it carries our header.
 * Resources that changed are refetched where they are on screen. A page that was asleep refetches everything.
 *
 * @module
 */
import type { QueryClient } from "@tanstack/react-query";
import { makeStale } from "../api/queries.ts";

/** `over`: the session has ended. */
export type LiveStatus = "live" | "reconnecting" | "over";

/** The approaching end of the session. */
export interface Ending {
  readonly secondsLeft: number;
  /** Whether a request postpones the end. */
  readonly mayExtend: boolean;
}

/** Listeners of the feed. */
export interface LiveHearers {
  /** Called with the state of the connection. */
  readonly onStatus: (status: LiveStatus) => void;
  /** Called when the session is about to end. Null: it no longer is. */
  readonly onEnding: (ending: Ending | null) => void;
}

/** Silence after which the stream counts as lost. The server sends something at least every 5 s. */
const SILENCE_MS = 12_000;
const RETRY_MS = [500, 1_000, 2_000, 5_000] as const;
/** Longest message. A longer one cannot be ours. */
const MESSAGE_CHARS_MAX = 65_536;

/** Follows the feed until `signal` aborts. */
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
  /** Absent: the message does not concern the end. */
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
