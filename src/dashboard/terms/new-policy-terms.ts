/**
 * Beginnings of a new policy, in the address: a copy of another, or the answer to a refusal.
 *
 * @module
 */
import { type AccessQuestion, accessQuestionOf } from "./access-question.ts";

/** `copy`: the id of a policy. The others: what was refused. */
export type NewPolicyTerms = AccessQuestion & { readonly copy?: string };

/** Reads the terms in an address and ignores anything else. */
export function newPolicyTermsOf(search: Readonly<Record<string, unknown>>): NewPolicyTerms {
  const { copy } = search;
  return typeof copy === "string" && copy !== "" ? { copy } : accessQuestionOf(search);
}
