/**
 * Decides which typed input may be kept: only what the terminal itself showed.
 *
 * A piece is kept if ECHO was on before and after it was written, is still on when its echo appears, and the
 * echo does appear in the output. Everything else is dropped, whichever program reads it: password prompts,
 * line editors, full-screen programs, and ssh, tmux or another terminal with a prompt inside. Only marks of
 * it remain: Return, and each span in which a program read lines unseen.
 *
 * @module
 */
import { ExactText } from "../../recording/exact-text.ts";
import type { TerminalModes } from "../contracts/recorder.ts";

/** Lines in a row that a program may read unseen before that is reported. */
const UNECHOED_LINES_MAX = 8;
/** Bytes of output within which the echo of a piece has to appear. */
const ECHO_WINDOW_BYTES_MAX = 16_384;
/** Pieces that wait for their echo. */
const WAITING_MAX = 256;
/** Shells and interpreters: lines that one reads unseen are commands that nobody sees. */
const SHELL = /^-?(?:ba|da|a|z|k|mk|fi|c|tc|r|rba|pw)?sh$|^busybox$/;
const INTERPRETER = /^(?:python|perl|ruby|node|bun|lua|php|psql|mysql|sqlite3)[\d.]*$/;
const PRINTABLE = /[\x20-\x7e\x80-\xff]+/g;

export interface TypedInputSink {
  /** Keeps text that was shown. */
  input(text: string): void;
  mark(text: string): void;
  /**
   * Reports that a program reads many lines unseen, or that a shell or interpreter reads any. Once per span.
   */
  unechoed(lines: number, program: string): void;
  seconds(): number;
  foreground(): string | null;
}

interface Piece {
  readonly text: string;
  /** Its printable runs, which have to appear in this order. */
  readonly runs: readonly string[];
}

/** A span of time in which lines are read but not shown. */
interface Span {
  readonly since: number;
  lines: number;
  program: string;
  isReported: boolean;
}

export class TypedInput {
  readonly #sink: TypedInputSink;
  #waiting: Piece[] = [];
  /** Output since the first waiting piece was typed. */
  #window = "";
  #span: Span | null = null;

  constructor(sink: TypedInputSink) {
    this.#sink = sink;
  }

  /** Whether output has to be passed to `shown`. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0 || this.#span !== null;
  }

  typed(data: Uint8Array, before: TerminalModes, after: TerminalModes): void {
    this.#follow(before);
    const raw = Buffer.from(data.buffer, data.byteOffset, data.length).toString("latin1");
    const returns = raw.match(/[\r\n]/g)?.length ?? 0;
    if (before.echo && after.echo) {
      this.#wait(data, raw);
      return;
    }
    this.#forget();
    // The program may have turned echo off or on between the two looks.
    if (isUnseen(before) || isUnseen(after)) this.#unseen(returns);
    else for (let i = 0; i < returns; i++) this.#sink.mark("return");
  }

  /** Looks in the output for the echo of waiting pieces. */
  shown(data: Uint8Array, modes: TerminalModes): void {
    this.#follow(modes);
    if (this.#waiting.length === 0) return;
    this.#window += Buffer.from(data.buffer, data.byteOffset, data.length).toString("latin1");
    for (let piece = this.#waiting[0]; piece !== undefined; piece = this.#waiting[0]) {
      const end = endOfEcho(piece, this.#window);
      if (end < 0) break;
      this.#window = this.#window.slice(end);
      this.#waiting.shift();
      this.#sink.input(piece.text);
    }
    if (this.#waiting.length === 0) this.#window = "";
    else if (this.#window.length > ECHO_WINDOW_BYTES_MAX) this.#forget();
  }

  /** The input has ended. */
  end(): void {
    this.#forget();
    this.#closeSpan();
  }

  #wait(data: Uint8Array, raw: string): void {
    const reader = new ExactText();
    const text = reader.read(data) + reader.end();
    const runs = raw.match(PRINTABLE) ?? [];
    if (this.#waiting.length >= WAITING_MAX) this.#forget();
    if (runs.length === 0 && this.#waiting.length === 0) this.#sink.input(text);
    else this.#waiting.push({ text, runs });
  }

  /** Drops the waiting pieces, which were not shown in time. The mark does not reveal their length. */
  #forget(): void {
    if (this.#waiting.length > 0) this.#sink.mark("typed and not shown");
    this.#waiting = [];
    this.#window = "";
  }

  #follow(modes: TerminalModes): void {
    if (!modes.echo) this.#forget();
    if (!isUnseen(modes)) this.#closeSpan();
  }

  #unseen(lines: number): void {
    this.#span ??= { since: this.#sink.seconds(), lines: 0, program: "", isReported: false };
    const span = this.#span;
    if (lines === 0) return;
    span.lines += lines;
    span.program = this.#sink.foreground() ?? "";
    const isSuspect = span.lines > UNECHOED_LINES_MAX || readsCommands(span.program);
    if (!isSuspect || span.isReported) return;
    span.isReported = true;
    this.#sink.unechoed(span.lines, span.program);
  }

  #closeSpan(): void {
    const span = this.#span;
    this.#span = null;
    if (span === null) return;
    const to = this.#sink.seconds().toFixed(3);
    const by = span.program === "" ? "" : ` by ${span.program}`;
    const lines = span.lines === 1 ? "1 line" : `${span.lines} lines`;
    this.#sink.mark(`${lines} read unseen${by}, ${span.since.toFixed(3)} to ${to}`);
  }
}

/** Lines are read but not shown, mostly at a password prompt. */
function isUnseen({ echo, lines }: TerminalModes): boolean {
  return !echo && lines;
}

/** Where the echo of `piece` ends in `window`. -1: the window does not hold all of it. */
function endOfEcho({ runs }: Piece, window: string): number {
  let at = 0;
  for (const run of runs) {
    const found = window.indexOf(run, at);
    if (found < 0) return -1;
    at = found + run.length;
  }
  return at;
}

function readsCommands(program: string): boolean {
  return SHELL.test(program) || INTERPRETER.test(program);
}
