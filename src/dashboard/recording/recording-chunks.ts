/**
 * Fetches the chunks of a recording from the API as text.
 *
 * @module
 */
import { type Answer, callApi } from "../api/client.ts";

export interface ChunkText {
  readonly text: string;
  /** The next chunk to ask for. */
  readonly next: number;
}

/** Yields the chunks stored so far, starting at `from`. Throws `ApiError`. */
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

/** Decodes chunks. Each consists of whole lines and is valid UTF-8 by itself. */
export function textOfChunks(
  chunks: readonly Pick<Answer<"GET /api/recordings/:recordingId/chunks">["chunks"][number], "data">[],
): string {
  const decoder = new TextDecoder();
  return chunks
    .map(({ data }) => decoder.decode(Uint8Array.from(atob(data), (character) => character.charCodeAt(0))))
    .join("");
}
