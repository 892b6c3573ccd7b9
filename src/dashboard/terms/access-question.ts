/**
 * A question about access, as the URL carries it.
 *
 * @module
 */
const NAMES = ["user", "machine", "as"] as const;

export type AccessQuestion = { readonly [N in (typeof NAMES)[number]]?: string };

const CHARS_MAX = 1_024;

/** The question in a URL. Unknown and malformed parts are ignored. */
export function accessQuestionOf(search: Readonly<Record<string, unknown>>): AccessQuestion {
  const given = NAMES.flatMap((name) => {
    const value = search[name];
    return typeof value === "string" && value !== "" && value.length <= CHARS_MAX
      ? [[name, value] as const]
      : [];
  });
  return Object.fromEntries(given);
}
