/**
 * The address of a person's page: which dialog is open, so that a fresh sign-in comes back to it.
 *
 * @module
 */
export const PERSON_DIALOGS = ["edit", "token", "reset", "block", "delete"] as const;
export type PersonDialog = (typeof PERSON_DIALOGS)[number];

export interface PersonTerms {
  readonly do?: PersonDialog;
}

/** Out of the address; what is none is nothing. */
export function personTermsOf(search: Readonly<Record<string, unknown>>): PersonTerms {
  const known = PERSON_DIALOGS.find((one) => one === search.do);
  return known === undefined ? {} : { do: known };
}
