/**
 * Loads a whole recording, up to what a page can hold.
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
  /** The asciicast itself, for download. */
  readonly text: readonly string[];
  /** The recording is longer than a page can hold. */
  readonly isCut: boolean;
}

/** Most characters of an asciicast that a page holds. */
const CHARS_MAX = 16_000_000;

/** Loads the recording. `onRead` gets the number of characters so far. Throws `ApiError`. */
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
