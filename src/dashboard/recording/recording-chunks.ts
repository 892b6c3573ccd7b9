/**
 * Chunks of a recording from the API, as text.
 *
 * @module
 */
import { type Answer, callApi } from "../api/client.ts";

export interface ChunkText {
  readonly text: string;
  /** The chunk to ask for next. */
  readonly next: number;
}

/** Chunks from `from` on, as far as they are stored now. Throws `ApiError`. */
export async function* chunkTexts(
  recordingId: string,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<ChunkText> {
  for (let next = from; ; ) {
    const page = await callApi("GET /api/recordings/:recordingId/chunks", {
      params: { recordingId },
      query: { from: String(next) },
      signal,
    });
    if (page.chunks.length === 0) return;
    next = page.next;
    yield { text: textOfChunks(page.chunks), next };
  }
}

/** Each chunk is whole lines, and UTF-8 by itself. */
export function textOfChunks(
  chunks: readonly Pick<Answer<"GET /api/recordings/:recordingId/chunks">["chunks"][number], "data">[],
): string {
  const decoder = new TextDecoder();
  return chunks
    .map(({ data }) => decoder.decode(Uint8Array.from(atob(data), (character) => character.charCodeAt(0))))
    .join("");
}
