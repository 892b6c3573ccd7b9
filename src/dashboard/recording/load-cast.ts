/**
 * A recording, whole, as far as a page holds it.
 *
 * @module
 */
import { type CastEvent, CastLines, type CastSize } from "./cast.ts";
import { chunkTexts } from "./recording-chunks.ts";
import { readShown, type Shown } from "./shown-lines.ts";

export interface Cast {
  readonly size: CastSize;
  readonly events: readonly CastEvent[];
  readonly shown: Shown;
  /** The asciicast itself, to keep as a file. */
  readonly text: readonly string[];
  /** There is more than a page holds. */
  readonly isCut: boolean;
}

/** Characters of an asciicast that a page holds. */
const CHARS_MAX = 16_000_000;

/** Reads it all; `onRead` is told how many characters there are so far. Throws `ApiError`. */
export async function loadCast(
  recordingId: string,
  signal: AbortSignal,
  onRead: (chars: number) => void,
): Promise<Cast> {
  const lines = new CastLines();
  const events: CastEvent[] = [];
  const text: string[] = [];
  let chars = 0;
  for await (const piece of chunkTexts(recordingId, 0, signal)) {
    for (const event of lines.read(piece.text)) events.push(event);
    text.push(piece.text);
    chars += piece.text.length;
    onRead(chars);
    if (chars >= CHARS_MAX) break;
  }
  return { size: lines.size, events, shown: readShown(events), text, isCut: chars >= CHARS_MAX };
}
