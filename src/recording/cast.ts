/**
 * asciicast v2: a line of JSON for the header, then one for each event, cut into chunks of whole lines.
 *
 * Events are `o` (shown), `i` (typed, or read from standard input), `r` (the window's size) and `m` (a mark).
 *
 * @module
 */
import { parseJson } from "../base/files.ts";
import { CastEvent, CastHeader } from "../wire/recording.ts";
import { escapeAscii } from "./escape-ascii.ts";

/** Most bytes of a chunk before it is packed. Leaves room within 64 kB for what packing adds. */
export const CHUNK_TEXT_BYTES_MAX = 62_000;
/**
 * Characters of one event. Each has at most 6 bytes in JSON, so any event fits into a chunk, and of text
 * several do, which leaves little of a chunk unused.
 */
const EVENT_CHARACTERS_MAX = 8_192;

/** What follows the text of an event. */
const EVENT_END = '"]\n';

export type CastCode = "o" | "i" | "r" | "m";

/** Puts lines together into chunks, each at most `CHUNK_TEXT_BYTES_MAX` long. */
export class CastWriter {
  readonly #onChunk: (text: Uint8Array) => void;
  /** Lines of the chunk that is being filled, and room for one that no longer fits. */
  readonly #buffer = Buffer.allocUnsafeSlow(2 * CHUNK_TEXT_BYTES_MAX);
  #bytes = 0;

  /** `onChunk` must have used its bytes when it returns. */
  constructor(header: CastHeader, onChunk: (text: Uint8Array) => void) {
    this.#onChunk = onChunk;
    this.#add(`${JSON.stringify(header)}\n`);
  }

  event(seconds: number, code: CastCode, text: string): void {
    for (let at = 0; at < text.length || at === 0; ) {
      const end = cutAt(text, at + EVENT_CHARACTERS_MAX);
      this.#event(seconds, code, at === 0 && end === text.length ? text : text.slice(at, end));
      at = end;
      if (at === 0) return;
    }
  }

  /**
   * An event of `data` as far as it is ASCII, which is most of what is shown and needs no strings. Returns
   * how many of its bytes that are; the others are for `event`.
   */
  ascii(seconds: number, code: CastCode, data: Uint8Array): number {
    const head = `[${seconds.toFixed(6)}, "${code}", "`;
    for (let from = 0; from < data.length; ) {
      const to = Math.min(data.length, from + EVENT_CHARACTERS_MAX);
      const at = this.#bytes + this.#buffer.write(head, this.#bytes, "latin1");
      const end = escapeAscii(data, { from, to }, this.#buffer, at);
      if (end < 0) return from;
      this.#grow(end + this.#buffer.write(EVENT_END, end, "latin1"));
      from = to;
    }
    return data.length;
  }

  /** Makes a chunk of what there is. */
  flush(): void {
    if (this.#bytes > 0) this.#onChunk(this.#buffer.subarray(0, this.#bytes));
    this.#bytes = 0;
  }

  #event(seconds: number, code: CastCode, text: string): void {
    this.#add(`[${seconds.toFixed(6)}, "${code}", ${JSON.stringify(text)}]\n`);
  }

  #add(line: string): void {
    this.#grow(this.#bytes + this.#buffer.write(line, this.#bytes));
  }

  /** A line was written up to `end`, which goes into a chunk of its own where it fits no more. */
  #grow(end: number): void {
    const start = this.#bytes;
    if (end <= CHUNK_TEXT_BYTES_MAX) {
      this.#bytes = end;
      return;
    }
    this.flush();
    this.#buffer.copyWithin(0, start, end);
    this.#bytes = end - start;
  }
}

/** At most `wanted`, and not within a surrogate pair. */
function cutAt(text: string, wanted: number): number {
  if (wanted >= text.length) return text.length;
  const code = text.charCodeAt(wanted - 1);
  return code >= 0xd800 && code <= 0xdbff ? wanted - 1 : wanted;
}

/**
 * Reads lines that come in pieces. Lines that are no event are passed over: a newer writer's, or longer than
 * any writer's, of which no more is kept than that.
 */
export class CastReader {
  #rest = "";
  /** What comes until the next line break belongs to a line that is too long. */
  #isTooLong = false;
  #header: CastHeader | null = null;

  /** Null: it has not come yet. */
  get header(): CastHeader | null {
    return this.#header;
  }

  read(text: string): CastEvent[] {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#isTooLong && lines.length > 0) {
      lines.shift();
      this.#isTooLong = false;
    }
    if (this.#rest.length > CHUNK_TEXT_BYTES_MAX || this.#isTooLong) {
      this.#rest = "";
      this.#isTooLong = true;
    }
    const events: CastEvent[] = [];
    for (const line of lines) {
      const value = parseJson(line);
      const event = CastEvent.safeParse(value);
      if (event.success) events.push(event.data);
      else if (this.#header === null) this.#header = CastHeader.safeParse(value).data ?? null;
    }
    return events;
  }
}
