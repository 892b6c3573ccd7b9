/**
 * The key under which names compare equal. It has no imports, so that `policy/` may use it too.
 *
 * @module
 */

/**
 * Two names with the same key could be confused in a list: NFKC and case folding, without direction marks and
 * zero-width characters, white space as one space.
 */
export function nameKey(text: string): string {
  const visible = text.normalize("NFKC").replace(/\p{Default_Ignorable_Code_Point}|\p{Cf}/gu, "");
  // A character at a time: a whole word's lower case depends on its neighbours (the Greek final sigma).
  const folded = [...visible].map((character) => character.toUpperCase().toLowerCase()).join("");
  return folded.normalize("NFKC").replace(/\s+/g, " ").trim();
}
