/**
 * Conversion between recorded time and playback time, which shortens idle periods.
 *
 * @module
 */
import type { CastEvent } from "./cast.ts";

/** Converts between seconds of the recording and seconds of the player, both ways. */
export class PlayedTime {
  readonly #recorded: Float64Array;
  readonly #played: Float64Array;
  readonly #idleSeconds: number;

  /** `idleSeconds`: the longest pause between two events. Infinity: as recorded. */
  constructor(events: readonly CastEvent[], idleSeconds: number) {
    this.#idleSeconds = idleSeconds;
    this.#recorded = new Float64Array(events.length);
    this.#played = new Float64Array(events.length);
    let [recorded, played] = [0, 0];
    events.forEach(([seconds], i) => {
      // Time never runs backwards, whatever the recording says.
      const now = Math.max(recorded, seconds);
      played += Math.min(now - recorded, idleSeconds);
      recorded = now;
      this.#recorded[i] = recorded;
      this.#played[i] = played;
    });
  }

  /** The end of the recording, in recorded time. */
  get end(): number {
    return this.#recorded.at(-1) ?? 0;
  }

  played(recorded: number): number {
    const moment = Math.min(recorded, this.end);
    const [from, at] = before(this.#recorded, this.#played, moment);
    return at + Math.min(Math.max(0, moment - from), this.#idleSeconds);
  }

  recorded(played: number): number {
    const [from, at] = before(this.#played, this.#recorded, played);
    return Math.min(at + Math.max(0, played - from), this.end);
  }
}

/** The last of `times` not after `time`, and its counterpart in `others`. Zeros: there is none. */
function before(times: Float64Array, others: Float64Array, time: number): readonly [number, number] {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= time) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? [0, 0] : [times[low - 1] ?? 0, others[low - 1] ?? 0];
}

/** A moment for the address: rounded up to a tenth of a second, so never before the event at `seconds`. */
export function momentOf(seconds: number): number {
  return Math.ceil(seconds * 10) / 10;
}

/** `1:02:03`, or `2:03` for less than an hour. */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
