/**
 * The first steps by name, in their order, as an address has them.
 *
 * @module
 */
export const STEP_IDS = ["name", "sign-in", "machine", "people", "policy", "login"] as const;
export type StepId = (typeof STEP_IDS)[number];

/** The one after it. Null: it is the last. */
export function stepAfter(id: StepId): StepId | null {
  return STEP_IDS[STEP_IDS.indexOf(id) + 1] ?? null;
}

/** As an address has it. */
export function stepOf(search: Readonly<Record<string, unknown>>): { readonly step?: StepId } {
  const step = STEP_IDS.find((id) => id === search.step);
  return step === undefined ? {} : { step };
}
