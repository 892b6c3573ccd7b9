/**
 * The text of a recording as searchable lines, and its chapters: the command lines, each at the Return that
 * ended it, and the recording's marks.
 *
 * Full-screen programs are left out of both. Elsewhere only movements within a line are followed, which is
 * what the line editors of shells use.
 *
 * @module
 */
import type { CastEvent } from "./cast.ts";

/** Text, and when it first appeared. */
export interface Moment {
  readonly seconds: number;
  readonly text: string;
}

export interface Shown {
  readonly lines: readonly Moment[];
  readonly chapters: readonly Moment[];
  /** Typed text that the recording has, which is what the terminal itself showed. */
  readonly typed: readonly Moment[];
}

const LINE_CHARS_MAX = 4_096;
const LINES_MAX = 200_000;
const CHAPTERS_MAX = 5_000;
const WAITING_MAX = 100;
const TITLE_CHARS_MAX = 200;
const TAB = 8;
/** Common endings of shell prompts. */
const PROMPT = /^.{0,120}?[$#%>❯]\s+(?=\S)/u;
const ONLY_PROMPT = /[$#%>❯]\s*$/u;
/** The recorder's mark for a Return whose line the terminal did not echo. */
const RETURN = "return";
/** A CSI sequence, any other escape sequence, a control character, or text. */
const PIECES = /\u001b\[([?<=>]?)([\d;:]*)[ -/]*([@-~])|\u001b[()*+]?.|[\u0000-\u001f]|[^\u0000-\u001f]+/gu;

export function readShown(events: readonly CastEvent[]): Shown {
  const chapters = new Chapters();
  const screen = new LineScreen((line) => chapters.lineEnds(line));
  const typed = new TypedLines();
  for (const [seconds, code, text] of events) {
    if (code === "o") screen.write(seconds, text);
    else if (code === "i") typed.write(seconds, text);
    if (code === "m" && text !== RETURN) chapters.add(seconds, text);
    else if (code === "m" || (code === "i" && /[\r\n]/.test(text))) chapters.onReturn(seconds, screen);
  }
  return { lines: screen.end(), chapters: chapters.all, typed: typed.end() };
}

/** The moments that contain `query`, ignoring case. Empty for an empty query. */
export function findMoments(moments: readonly Moment[], query: string): Moment[] {
  const wanted = query.trim().toLowerCase();
  return wanted === "" ? [] : moments.filter(({ text }) => text.toLowerCase().includes(wanted));
}

/**
 * Builds a chapter for each Return that ends a command line. Pasted text and type-ahead appear on the screen
 * only after their Return, so the next line with a prompt counts.
 */
class Chapters {
  readonly all: Moment[] = [];
  /** Times of Returns whose command line has not appeared yet. */
  readonly #waiting: number[] = [];

  onReturn(seconds: number, screen: LineScreen): void {
    if (screen.isWhole) return;
    const title = titleOf(screen.line);
    if (title !== "") this.add(seconds, title);
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(seconds);
  }

  lineEnds({ seconds, text }: Moment): void {
    const [since] = this.#waiting;
    if (since === undefined || !(PROMPT.test(text) || ONLY_PROMPT.test(text))) return;
    this.#waiting.shift();
    const title = titleOf(text);
    if (title !== "" && this.all.at(-1)?.text !== title) this.add(Math.max(since, seconds), title);
  }

  add(seconds: number, title: string): void {
    if (this.all.length < CHAPTERS_MAX) this.all.push({ seconds, text: title.slice(0, TITLE_CHARS_MAX) });
  }
}

/** A line without its prompt. Empty: the line has nothing else. */
function titleOf(line: string): string {
  return ONLY_PROMPT.test(line) ? "" : line.replace(PROMPT, "").trim();
}

/** The cursor's line and the lines before it. A column is a UTF-16 unit, which is close enough. */
class LineScreen {
  readonly #lines: Moment[] = [];
  #line = "";
  #column = 0;
  #since = 0;
  /** A full-screen program is running. */
  #isWhole = false;
  readonly #onLine: (line: Moment) => void;

  constructor(onLine: (line: Moment) => void) {
    this.#onLine = onLine;
  }

  get line(): string {
    return this.#line;
  }
  get isWhole(): boolean {
    return this.#isWhole;
  }

  write(seconds: number, text: string): void {
    for (const [piece, mark, parameters = "", end] of text.matchAll(PIECES)) {
      if (end !== undefined) this.#sequence(mark ?? "", parameters, end);
      else if (!this.#isWhole && piece.charCodeAt(0) !== 0x1b) this.#put(seconds, piece);
    }
  }

  end(): readonly Moment[] {
    this.#newLine();
    return this.#lines;
  }

  /** Handles text or one control character. */
  #put(seconds: number, piece: string): void {
    if (piece === "\r") this.#column = 0;
    else if (piece === "\n") this.#newLine();
    else if (piece === "\b") this.#column = Math.max(0, this.#column - 1);
    else if (piece === "\t") this.#column += TAB - (this.#column % TAB);
    else if (piece >= " ") {
      if (this.#line === "") this.#since = seconds;
      const text = piece.slice(0, Math.max(0, LINE_CHARS_MAX - this.#column));
      const before = this.#line.slice(0, this.#column).padEnd(this.#column);
      this.#column += text.length;
      this.#line = before + text + this.#line.slice(this.#column);
    }
  }

  #newLine(): void {
    const text = this.#line.trimEnd();
    const line = { seconds: this.#since, text };
    if (text !== "" && this.#lines.length < LINES_MAX) this.#lines.push(line);
    this.#line = "";
    this.#column = 0;
    if (text !== "") this.#onLine(line);
  }

  #sequence(mark: string, parameters: string, end: string): void {
    if (mark === "?" && /^(?:47|1047|1049)$/.test(parameters)) {
      this.#newLine();
      this.#isWhole = end === "h";
    }
    if (mark !== "" || this.#isWhole) return;
    const count = Math.min(LINE_CHARS_MAX, Number(parameters.split(/[;:]/)[0]) || 1);
    if (end === "C") this.#column = Math.min(LINE_CHARS_MAX, this.#column + count);
    else if (end === "D") this.#column = Math.max(0, this.#column - count);
    else if (end === "G" || end === "`") this.#column = count - 1;
    else if (end === "K") this.#erase(parameters);
    else if (end === "P") this.#replace(count, "");
    else if (end === "@") this.#replace(0, " ".repeat(count));
    else if ("ABHJdfLMST".includes(end)) this.#newLine();
  }

  /** Replaces the next `count` columns with `text`, without moving the cursor. */
  #replace(count: number, text: string): void {
    const after = this.#line.slice(this.#column + count);
    this.#line = (this.#line.slice(0, this.#column) + text + after).slice(0, LINE_CHARS_MAX);
  }

  #erase(how: string): void {
    if (how === "" || how === "0") this.#line = this.#line.slice(0, this.#column);
    else if (how === "2") this.#line = "";
    else this.#line = " ".repeat(this.#column + 1) + this.#line.slice(this.#column + 1);
  }
}

/** Collects typed text line by line. */
class TypedLines {
  readonly #lines: Moment[] = [];
  #text = "";
  #since = 0;

  write(seconds: number, text: string): void {
    for (const character of text) {
      if (this.#text === "") this.#since = seconds;
      this.#text += character === "\r" || character === "\n" ? "⏎" : picture(character);
      if (this.#text.endsWith("⏎") || this.#text.length >= LINE_CHARS_MAX) this.#end();
    }
  }

  end(): readonly Moment[] {
    this.#end();
    return this.#lines;
  }

  #end(): void {
    if (this.#text !== "" && this.#lines.length < LINES_MAX)
      this.#lines.push({ seconds: this.#since, text: this.#text });
    this.#text = "";
  }
}

/** A control character in the usual notation. */
function picture(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code === 0x7f) return "^?";
  return code < 0x20 ? `^${String.fromCharCode(code + 64)}` : character;
}
