/**
 * The line that bash hands to a completion, taken apart as bash itself would, and words written so that bash
 * reads them back as they are.
 *
 * @module
 */
import type { Candidate } from "./candidates.ts";

export interface SplitLine {
  /** All words up to the cursor without their quotes; the last is the one being typed, and may be empty. */
  readonly words: readonly string[];
  /** The quote that is open at the cursor, if any. */
  readonly quote: "" | "'" | '"';
  /** How much of the last word stood before that quote. */
  readonly quotedFrom: number;
}

/** Splits what stands before the cursor at blanks. Nothing is expanded. */
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
 * The candidates as COMPREPLY holds them: quoted, and without what bash does not replace, which is everything
 * up to the last of `wordBreaks`, or up to an open quote. What cannot be written there is left out.
 */
export function bashWords(candidates: readonly Candidate[], line: SplitLine, wordBreaks: string): string[] {
  const typed = line.words.at(-1) ?? "";
  const cut = line.quote === "" ? lastBreak(typed, wordBreaks) : line.quotedFrom;
  return candidates.flatMap(({ word }) => {
    const rest = word.slice(cut);
    if (line.quote === "'") return rest.includes("'") ? [] : [rest];
    // An exclamation mark calls up the history there, and nothing prevents that.
    if (line.quote === '"') return rest.includes("!") ? [] : [rest.replace(/["\\$`]/g, "\\$&")];
    return [rest.replace(/[^\p{L}\p{N}_%+,./:=@^-]/gu, "\\$&")];
  });
}

function lastBreak(typed: string, wordBreaks: string): number {
  const breaks = [...":=@"].filter((character) => wordBreaks.includes(character));
  return Math.max(0, ...breaks.map((character) => typed.lastIndexOf(character) + 1));
}
