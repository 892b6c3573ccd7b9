/**
 * The answer of `qf __complete` to a shell's script: a line that says how to treat the words (`files`,
 * `nospace` or `only`), then one word per line, for zsh and fish followed by a tab and its purpose.
 *
 * @module
 */
import { print } from "../output.ts";
import type { Candidate, Completion } from "./candidates.ts";
import { bashWords, splitLine } from "./command-line.ts";
import { complete } from "./complete.ts";
import { liveNames } from "./names.ts";
import type { NamesOf } from "./values.ts";

/** Answers a shell. `args`: `bash WORDBREAKS LINE`, `zsh WORD...` or `fish WORD...`, without the program. */
export async function replyTo(args: readonly string[], namesOf: NamesOf = liveNames): Promise<number> {
  const lines = await replyLines(args, namesOf);
  await print(lines.map((line) => `${line}\n`).join(""));
  return 0;
}

/** The lines of the answer. */
export async function replyLines([shell, ...rest]: readonly string[], namesOf: NamesOf): Promise<string[]> {
  if (shell === "bash") {
    const [wordBreaks = "", text = ""] = rest;
    const line = splitLine(text);
    const completion = await complete(line.words.slice(1), namesOf);
    return [modeOf(completion), ...bashWords(completion.candidates, line, wordBreaks)];
  }
  const completion = await complete(rest, namesOf);
  return [modeOf(completion), ...completion.candidates.map(described)];
}

function modeOf({ candidates, files }: Completion): string {
  if (files) return "files";
  return candidates.length > 0 && candidates.every(({ word }) => /[=@]$/.test(word)) ? "nospace" : "only";
}

function described({ word, about }: Candidate): string {
  return about === undefined ? word : `${word}\t${about}`;
}
