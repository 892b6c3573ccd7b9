/**
 * Parser for the asciicast of a recording, as the API serves it: the header and the timed events.
 *
 * @module
 */
import { ScreenFilter } from "../../recording/screen-filter.ts";

/**
 * An event: seconds since the start, its kind (`o` output, `i` input, `r` resize, `m` mark), and its text.
 */
export type CastEvent = readonly [seconds: number, code: CastCode, text: string];
type CastCode = "o" | "i" | "r" | "m";

export interface CastSize {
  readonly columns: number;
  readonly rows: number;
}

const CODES: ReadonlySet<unknown> = new Set(["o", "i", "r", "m"]);
const COLUMNS_MAX = 500;
const ROWS_MAX = 200;
const SIZE = /^(\d{1,5})x(\d{1,5})$/;
/** The size used for a program without a terminal. */
const NO_TERMINAL: CastSize = { columns: 80, rows: 24 };

/** Reads whole lines, chunk by chunk. Ignores lines that are neither a header nor an event. */
export class CastLines {
  readonly #filter = new ScreenFilter();
  #size: CastSize = NO_TERMINAL;

  /** The terminal's size at the start. */
  get size(): CastSize {
    return this.#size;
  }

  /**
   * Parses events. Output is filtered down to what a player may be given: text, colours and cursor movements.
   */
  read(lines: string): CastEvent[] {
    return lines.split("\n").flatMap((line): CastEvent[] => {
      const value = parsed(line);
      if (!Array.isArray(value)) {
        this.#header(value);
        return [];
      }
      const [seconds, code, text] = value as unknown[];
      if (typeof seconds !== "number" || !(seconds >= 0) || typeof text !== "string") return [];
      if (!CODES.has(code)) return [];
      return [[seconds, code as CastCode, code === "o" ? this.#filter.filter(text) : text]];
    });
  }

  #header(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    const { width, height } = value as Record<string, unknown>;
    this.#size = sizeOf(width, height) ?? this.#size;
  }
}

/** The size in an `r` event. Null: it is malformed, or there is no terminal. */
export function resizedTo(text: string): CastSize | null {
  const match = SIZE.exec(text);
  return match === null ? null : sizeOf(Number(match[1]), Number(match[2]));
}

function sizeOf(columns: unknown, rows: unknown): CastSize | null {
  if (typeof columns !== "number" || typeof rows !== "number" || !(columns > 0) || !(rows > 0)) return null;
  return { columns: Math.min(columns, COLUMNS_MAX), rows: Math.min(rows, ROWS_MAX) };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
