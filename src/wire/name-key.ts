/**
 * The key under which two names are one: plain code without imports, so that `policy/` may use it as well.
 *
 * @module
 */

/**
 * Two names with the same key would be taken for one another in a list: NFKC and case folding, without
 * direction marks and zero-width characters, white space as one space.
 */
export function nameKey(text: string): string {
  const visible = text.normalize("NFKC").replace(/\p{Default_Ignorable_Code_Point}|\p{Cf}/gu, "");
  // A character at a time: a whole word's lower case depends on its neighbours (the Greek final sigma).
  const folded = [...visible].map((character) => character.toUpperCase().toLowerCase()).join("");
  return folded.normalize("NFKC").replace(/\s+/g, " ").trim();
}
