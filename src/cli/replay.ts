/**
 * Replay of a recording on a terminal, at its own or another speed. The screen gets only what `ScreenFilter`
 * lets through. Input is discarded.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { CastReader } from "../recording/cast.ts";
import { bytesOfText } from "../recording/exact-text.ts";
import { ScreenFilter } from "../recording/screen-filter.ts";
import type { CastEvent } from "../wire/recording.ts";

export interface Pace {
  /** Factor of the original speed. */
  readonly speed: number;
  /** Longest wait between two events, in seconds. */
  readonly idleLimit: number;
}

export interface Screen {
  write(text: string): Promise<void>;
  /** Resolves after `ms`, or when the person ends the replay. */
  wait(ms: number): Promise<void>;
  readonly isOver: boolean;
}

/** Shows `pieces` of an asciicast. Times are measured from the start, so that delays do not add up. */
export async function replay(
  pieces: AsyncIterable<string>,
  pace: Pace,
  { screen, clock }: { readonly screen: Screen; readonly clock: Clock },
): Promise<void> {
  const filter = new ScreenFilter();
  const startMs = clock.monotonicMs();
  let shownSeconds = 0;
  let lastSeconds = 0;
  for await (const [seconds, code, text] of eventsOf(pieces)) {
    shownSeconds += Math.min(pace.idleLimit, Math.max(0, seconds - lastSeconds)) / pace.speed;
    lastSeconds = Math.max(lastSeconds, seconds);
    if (code !== "o") continue;
    const waitMs = startMs + shownSeconds * 1000 - clock.monotonicMs();
    if (waitMs > 0) await screen.wait(waitMs);
    if (screen.isOver) break;
    await screen.write(filter.filter(text));
  }
  await screen.write(ScreenFilter.restore());
}

/** The recorded output without its times: raw bytes, or filtered for a terminal. */
export async function* shownOf(
  pieces: AsyncIterable<string>,
  { isRaw }: { readonly isRaw: boolean },
): AsyncGenerator<Uint8Array> {
  const filter = new ScreenFilter();
  for await (const [, code, text] of eventsOf(pieces)) {
    if (code === "o") yield isRaw ? bytesOfText(text) : Buffer.from(filter.filter(text));
  }
}

async function* eventsOf(pieces: AsyncIterable<string>): AsyncGenerator<CastEvent> {
  const reader = new CastReader();
  for await (const piece of pieces) yield* reader.read(piece);
}
