/**
 * Command lines of bash: splits the line to complete as bash would, and quotes words so that bash reads them
 * back unchanged.
 *
 * @module
 */
import type { Candidate } from "./candidates.ts";

export interface SplitLine {
  /** All words up to the cursor, unquoted. The last is the one being typed and may be empty. */
  readonly words: readonly string[];
  /** The open quote at the cursor, if any. */
  readonly quote: "" | "'" | '"';
  /** Length of the last word before that quote. */
  readonly quotedFrom: number;
}

/** Splits the text before the cursor at blanks, without expansion. */
export function splitLine(line: string): SplitLine {
  const words: string[] = [];
  let word: string | undefined;
  let quote: SplitLine["quote"] = "";
  let quotedFrom = 0;
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? "";
    const next = line[at + 1] ?? "";
    if (quote === "" && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (quote === character) {
      quote = "";
    } else if (quote === "" && (character === "'" || character === '"')) {
      word ??= "";
      quote = character;
      quotedFrom = word.length;
    } else if (character === "\\" && (quote === "" || (quote === '"' && /["\\$`]/.test(next)))) {
      word = (word ?? "") + next;
      at += 1;
    } else {
      word = (word ?? "") + character;
    }
  }
  return { words: [...words, word ?? ""], quote, quotedFrom };
}

/**
 * The candidates for COMPREPLY: quoted, and without the part that bash does not replace, which is everything
 * up to the last of `wordBreaks` or up to an open quote. Leaves out candidates that cannot be written there.
 */
export function bashWords(candidates: readonly Candidate[], line: SplitLine, wordBreaks: string): string[] {
  const typed = line.words.at(-1) ?? "";
  const cut = line.quote === "" ? lastBreak(typed, wordBreaks) : line.quotedFrom;
  return candidates.flatMap(({ word }) => {
    const rest = word.slice(cut);
    if (line.quote === "'") return rest.includes("'") ? [] : [rest];
    // Inside double quotes, `!` expands history and cannot be escaped.
    if (line.quote === '"') return rest.includes("!") ? [] : [rest.replace(/["\\$`]/g, "\\$&")];
    return [rest.replace(/[^\p{L}\p{N}_%+,./:=@^-]/gu, "\\$&")];
  });
}

function lastBreak(typed: string, wordBreaks: string): number {
  const breaks = [...":=@"].filter((character) => wordBreaks.includes(character));
  return Math.max(0, ...breaks.map((character) => typed.lastIndexOf(character) + 1));
}
