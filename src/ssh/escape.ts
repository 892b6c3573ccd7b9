/**
 * The escape character of ssh(1): at the start of a line, `~.` ends the connection. Pure.
 *
 * @module
 */

/** The part of the input to send, and the escapes it contained. */
export interface EscapeStep {
  /** Bytes for the remote. */
  readonly send: Buffer;
  /** `end`: close now. `help`: list the escapes. */
  readonly asks: readonly ("end" | "help")[];
}

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const QUESTION = 0x3f;

/** Builds a filter that remembers its position in the line. A null `escapeChar` passes everything. */
export function createEscapeFilter(escapeChar: string | null): (typed: Buffer) => EscapeStep {
  const code = escapeChar === null ? -1 : (Buffer.from(escapeChar)[0] ?? -1);
  let atLineStart = true;
  let isPending = false;
  return (typed) => {
    if (code === -1) return { send: typed, asks: [] };
    const out: number[] = [];
    const asks: ("end" | "help")[] = [];
    for (const byte of typed) {
      if (isPending) {
        isPending = false;
        atLineStart = false;
        if (byte === DOT) {
          asks.push("end");
          break;
        }
        if (byte === QUESTION) {
          asks.push("help");
          atLineStart = true;
          continue;
        }
        // `~~` is one `~`; anything else is not an escape and is sent unchanged.
        if (byte !== code) out.push(code);
      } else if (atLineStart && byte === code) {
        isPending = true;
        continue;
      }
      out.push(byte);
      atLineStart = byte === CR || byte === LF;
    }
    return { send: Buffer.from(out), asks };
  };
}

/** What `~?` prints, for a terminal in raw mode. */
export function escapeHelp(escapeChar: string): string {
  return [
    "Supported escape sequences:",
    ` ${escapeChar}.   - terminate connection`,
    ` ${escapeChar}?   - this message`,
    ` ${escapeChar}${escapeChar}   - send the escape character by typing it twice`,
    "(Escapes are only recognized immediately after newline.)",
    "",
  ].join("\r\n");
}
