/**
 * asciicast v2: a JSON line for the header, then one per event, cut into chunks of whole lines.
 *
 * Events are `o` (shown), `i` (typed, or read from standard input), `r` (the window's size) and `m` (a mark).
 *
 * @module
 */
import { parseJson } from "../base/files.ts";
import { CastEvent, CastHeader } from "../wire/recording.ts";
import { escapeAscii } from "./escape-ascii.ts";

/** Most bytes of a chunk before packing. Leaves room within 64 kB for the packing overhead. */
export const CHUNK_TEXT_BYTES_MAX = 62_000;
/**
 * Most characters of one event. Each takes at most 6 bytes in JSON, so any event fits into a chunk; several
 * of plain text do, so little of a chunk is wasted.
 */
const EVENT_CHARACTERS_MAX = 8_192;

/** The end of an event's line. */
const EVENT_END = '"]\n';

export type CastCode = "o" | "i" | "r" | "m";

/** Joins lines into chunks of at most `CHUNK_TEXT_BYTES_MAX` bytes. */
export class CastWriter {
  readonly #onChunk: (text: Uint8Array) => void;
  /** Lines of the current chunk, with room for one that no longer fits. */
  readonly #buffer = Buffer.allocUnsafeSlow(2 * CHUNK_TEXT_BYTES_MAX);
  #bytes = 0;

  /** `onChunk` must not keep its bytes after it returns. */
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
   * Writes the ASCII prefix of `data` as an event, without making strings; most output is ASCII. Returns the
   * prefix's length; pass the rest to `event`.
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

  /** Makes a chunk of the lines so far. */
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

  /** Accounts for a line written up to `end`, which starts a new chunk if it no longer fits. */
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

/** A cut at most at `wanted`, and not within a surrogate pair. */
function cutAt(text: string, wanted: number): number {
  if (wanted >= text.length) return text.length;
  const code = text.charCodeAt(wanted - 1);
  return code >= 0xd800 && code <= 0xdbff ? wanted - 1 : wanted;
}

/**
 * Reads lines that arrive in pieces. Lines that are not events are skipped: those of a newer writer, and
 * overlong ones, which are not buffered beyond the limit.
 */
export class CastReader {
  #rest = "";
  /** Input up to the next line break belongs to an overlong line. */
  #isTooLong = false;
  #header: CastHeader | null = null;

  /** Null until it has arrived. */
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
