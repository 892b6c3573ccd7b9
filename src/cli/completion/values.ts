/**
 * Completion of values by their placeholder in a help text: `GROUP` is one of the groups, `FILE` a file.
 *
 * @module
 */
import type { Completion } from "./candidates.ts";

/** No completion. */
export const NOTHING: Completion = { candidates: [], files: false };

/** Kinds of names. `machine`: a machine that the person may log in to. */
export const NAME_KINDS = ["machine", "peer", "group", "user", "local-user", "policy", "check"] as const;
/** One kind of name. */
export type NameKind = (typeof NAME_KINDS)[number];

/** The names of one kind. Empty when they are not available without asking the person. */
export type NamesOf = (kind: NameKind) => Promise<readonly string[]>;

const KINDS: Readonly<Record<string, NameKind>> = {
  HOST: "machine",
  PEER: "peer",
  M: "machine",
  D: "peer",
  GROUP: "group",
  USER: "user",
  U: "user",
  "LOCAL-USER": "local-user",
  L: "local-user",
  POLICY: "policy",
  CHECK: "check",
};
const WORDS: Readonly<Record<string, readonly string[]>> = {
  SHELL: ["bash", "zsh", "fish", "man"],
  WHAT: ["log-key"],
  LEVEL: ["error", "warn", "info", "debug"],
};
const FILES: ReadonlySet<string> = new Set(["FILE", "DIR", "PATH", "EXPORT", "OLD"]);

/**
 * Completes `typed` as a value of `placeholder`. `prefix`: the part of the word before the value, as in
 * `--groups=`.
 */
export async function completeValue(
  placeholder: string,
  typed: string,
  namesOf: NamesOf,
  prefix = "",
): Promise<Completion> {
  if (placeholder.endsWith(",...")) {
    const comma = typed.lastIndexOf(",") + 1;
    const head = prefix + typed.slice(0, comma);
    return completeValue(placeholder.slice(0, -4), typed.slice(comma), namesOf, head);
  }
  if (placeholder === "[USER@]HOST") {
    const at = typed.lastIndexOf("@") + 1;
    return completeValue("HOST", typed.slice(at), namesOf, prefix + typed.slice(0, at));
  }
  const [word = "", assigned] = placeholder.split(/[|=]/);
  if (FILES.has(word)) return { candidates: [], files: prefix === "" };
  const isAssignment = placeholder.includes("=") && assigned !== undefined;
  const kind = Object.hasOwn(KINDS, word) ? KINDS[word] : undefined;
  const fixed = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  const names = fixed ?? (kind === undefined ? [] : await namesOf(kind));
  const suffix = isAssignment ? "=" : "";
  return {
    candidates: names
      .filter((name) => name.startsWith(typed))
      .map((name) => ({ word: prefix + name + suffix })),
    files: false,
  };
}
