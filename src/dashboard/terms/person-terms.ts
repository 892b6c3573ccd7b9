/**
 * Address terms of a person's page: the open dialog, so that a fresh sign-in returns to it.
 *
 * @module
 */
export const PERSON_DIALOGS = ["edit", "token", "reset", "block", "delete"] as const;
export type PersonDialog = (typeof PERSON_DIALOGS)[number];

export interface PersonTerms {
  readonly do?: PersonDialog;
}

/** Reads the terms in an address and ignores unknown dialogs. */
export function personTermsOf(search: Readonly<Record<string, unknown>>): PersonTerms {
  const known = PERSON_DIALOGS.find((one) => one === search.do);
  return known === undefined ? {} : { do: known };
}
