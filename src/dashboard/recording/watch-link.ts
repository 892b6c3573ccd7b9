/**
 * The WebSocket that follows a recorded session live.
 *
 * @module
 */
import type { RecordingPage } from "../../wire/recording.ts";
import { WATCH_FORBIDDEN, WATCH_OVER, WATCH_PROTOCOL } from "../../wire/session-watch.ts";
import { ApiError } from "../api/client.ts";
import { textOfChunks } from "./recording-chunks.ts";

/**
 * `over`: the recording has ended. `forbidden`: the right to watch is gone. `lost`: the connection was lost.
 */
export type WatchEnd = "over" | "forbidden" | "lost";

const TIMEOUT_MS = 30_000;

export interface Watching {
  /** The server's `https://…` origin. */
  readonly origin: string;
  readonly signal: AbortSignal;
  /** Called with whole lines of the asciicast. The next lines come after it returns. */
  readonly onLines: (lines: string) => void;
}

/** Follows a recording. Resolves with why it ended. Throws `ApiError` if it cannot be watched. */
export async function watchRecording(id: string, { origin, signal, onLines }: Watching): Promise<WatchEnd> {
  const path = `/api/sessions/${encodeURIComponent(id)}/watch`;
  const ticket = await ticketFor(origin + path, signal);
  const socket = new WebSocket(origin.replace(/^http/, "ws") + path, [WATCH_PROTOCOL, `ticket.${ticket}`]);
  const stop = (): void => socket.close();
  signal.addEventListener("abort", stop);
  try {
    return await new Promise<WatchEnd>((resolve, reject) => {
      socket.onmessage = ({ data }) => {
        try {
          onLines(textOfChunks((JSON.parse(String(data)) as RecordingPage).chunks));
          socket.send("more");
        } catch (cause) {
          reject(cause);
        }
      };
      socket.onclose = ({ code }) => resolve(endOf(code));
    });
  } finally {
    signal.removeEventListener("abort", stop);
    socket.close();
  }
}

function endOf(code: number): WatchEnd {
  if (code === WATCH_OVER) return "over";
  return code === WATCH_FORBIDDEN ? "forbidden" : "lost";
}

/** Gets a ticket for one WebSocket, which is good for seconds. */
async function ticketFor(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "x-qf-dashboard": "1" },
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  const said = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok && typeof said.ticket === "string") return said.ticket;
  const about = { status: response.status, code: String(said.error ?? ""), hint: null, requestId: null };
  throw new ApiError(
    `It cannot be watched: ${said.message ?? "the server did not answer as expected"}.`,
    about,
  );
}
