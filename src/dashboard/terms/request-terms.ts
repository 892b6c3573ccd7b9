/**
 * Address terms of a request's page: the dialog to open after a fresh sign-in for it.
 *
 * @module
 */

export interface RequestTerms {
  readonly do?: "approve" | "deny";
}

/** Reads the terms in an address and ignores unknown dialogs. */
export function requestTermsOf(search: Record<string, unknown>): RequestTerms {
  return search.do === "approve" || search.do === "deny" ? { do: search.do } : {};
}
