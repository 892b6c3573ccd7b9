/**
 * Filter terms, in the address, of a list that is complete in its page.
 *
 * @module
 */

/** Terms with a fixed choice, by their name in the address. */
export const CHOSEN_TERMS = ["state", "kind", "role"] as const;
export type ChosenTerm = (typeof CHOSEN_TERMS)[number];

/** `q`: words that must all occur in the row. `sort`: see `sort-term.ts`. `do`: the open dialog. */
export type ListTerms = { readonly [T in "q" | "sort" | "do" | ChosenTerm]?: string };

const CHARS_MAX = 256;
const NAMES = ["q", ...CHOSEN_TERMS, "sort", "do"] as const;

/** Reads the terms in an address and ignores anything else. */
export function listTermsOf(search: Readonly<Record<string, unknown>>): ListTerms {
  const given = NAMES.flatMap((name) => {
    const value = search[name];
    const text = typeof value === "number" ? String(value) : value;
    return typeof text === "string" && text !== "" && text.length <= CHARS_MAX ? [[name, text] as const] : [];
  });
  return Object.fromEntries(given);
}
