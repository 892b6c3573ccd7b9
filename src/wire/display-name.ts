/**
 * Display names: one line of printable text in any script.
 *
 * A name is shown and compared, never executed: it reaches no shell, no ssh_config and no network map.
 * `labelOf` derives host names from it.
 *
 * @module
 */
import { z } from "zod";

/** Longest name, in code points. */
export const NAME_LENGTH_MAX = 256;
const LABEL_LENGTH_MAX = 63;

/** Controls, surrogates, private and unassigned code points, line separators. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;
/** Characters without width, or that change direction, could make two names look alike. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;
/** Emoji legitimately contain joiners and selectors, which are invisible too. */
const EMOJI = /\p{RGI_Emoji}/gv;

/** Whether `text` is one line of visible characters. Bounds nothing. */
function isPrintable(text: string): boolean {
  const plain = text.replace(EMOJI, "");
  return !UNPRINTABLE.test(plain) && !INVISIBLE.test(plain) && !/^\p{M}/u.test(text);
}

const name = z
  .string()
  .max(4 * NAME_LENGTH_MAX)
  .trim()
  .normalize("NFC")
  .refine((text) => [...text].length <= NAME_LENGTH_MAX, `is longer than ${NAME_LENGTH_MAX} characters`)
  .refine(isPrintable, "has a character that cannot be seen: a control, direction or zero-width one");

/**
 * Name of a group, policy, check, key, token, user or peer. Surrounding white space is dropped and the name
 * is stored in NFC, so that names that look equal are equal.
 */
export const DisplayName = name.refine((text) => text !== "", "is empty");

/** Name of a rule: may be empty, as NetBird's may. */
export const RuleName = name;

/** The printable part of a foreign name. Undefined when nothing is left. */
export function shownName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const visible = [...text.normalize("NFC")].map((char) => (isPrintable(`x${char}`) ? char : " ")).join("");
  const cleaned = visible.replace(/\s+/g, " ").replace(/^[\s\p{M}]+/u, "");
  const parsed = DisplayName.safeParse([...cleaned].slice(0, NAME_LENGTH_MAX).join(""));
  return parsed.success ? parsed.data : undefined;
}

/** The first `length` UTF-16 units of a name, never half a character. */
export function shortName(text: string, length: number): string {
  return text.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}

/**
 * The host label that a display name stands for: `My Laptop` → `my-laptop`, `db_1` → `db-1`,
 * `host.example.com` → `host`. Empty when no letter or digit of it is ASCII.
 */
export function labelOf(text: string): string {
  const host = /^([A-Za-z0-9_-]+)(?:\.[A-Za-z0-9_-]*[A-Za-z][A-Za-z0-9_-]*)+$/.exec(text)?.[1] ?? text;
  return host
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, LABEL_LENGTH_MAX)
    .replace(/^-+|-+$/g, "");
}
