/**
 * The address of a request: which dialog its page opens with, after a fresh sign-in for it.
 *
 * @module
 */

export interface RequestTerms {
  readonly do?: "approve" | "deny";
}

/** Out of the address; what is neither is nothing. */
export function requestTermsOf(search: Record<string, unknown>): RequestTerms {
  return search.do === "approve" || search.do === "deny" ? { do: search.do } : {};
}
