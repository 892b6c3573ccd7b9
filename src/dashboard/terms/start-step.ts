/**
 * The first steps in order, by their name in the address.
 *
 * @module
 */
export const STEP_IDS = ["name", "sign-in", "machine", "people", "policy", "login"] as const;
export type StepId = (typeof STEP_IDS)[number];

/** The next step. Null: `id` is the last. */
export function stepAfter(id: StepId): StepId | null {
  return STEP_IDS[STEP_IDS.indexOf(id) + 1] ?? null;
}

/** Reads the step in an address. */
export function stepOf(search: Readonly<Record<string, unknown>>): { readonly step?: StepId } {
  const step = STEP_IDS.find((id) => id === search.step);
  return step === undefined ? {} : { step };
}
