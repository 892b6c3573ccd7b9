/**
 * Terms by which a list that is whole in its page is filtered, as they stand in the address.
 *
 * @module
 */

/** What is chosen from a list, by its name in the address. */
export const CHOSEN_TERMS = ["state", "kind", "role"] as const;
export type ChosenTerm = (typeof CHOSEN_TERMS)[number];

/** `q`: words, all of which have to be somewhere in the row. `do`: the dialog that is open. */
export type ListTerms = { readonly [T in "q" | "do" | ChosenTerm]?: string };

const CHARS_MAX = 256;
const NAMES = ["q", ...CHOSEN_TERMS, "do"] as const;

/** Those of an address; anything else is left out. */
export function listTermsOf(search: Readonly<Record<string, unknown>>): ListTerms {
  const given = NAMES.flatMap((name) => {
    const value = search[name];
    const text = typeof value === "number" ? String(value) : value;
    return typeof text === "string" && text !== "" && text.length <= CHARS_MAX ? [[name, text] as const] : [];
  });
  return Object.fromEntries(given);
}
