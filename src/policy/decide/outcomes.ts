/**
 * The outcomes of a rule as small integers, so that a decision over a thousand rules keeps one byte each.
 *
 * The number is the index in `RULE_OUTCOMES`, the order in which conditions are tested. A higher number came
 * nearer to a grant, and a denial gives the reason of the highest.
 *
 * @module
 */
import type { RuleOutcome } from "../../wire/decision.ts";
import { RULE_OUTCOMES } from "../../wire/rule-outcome.ts";

/** An outcome's index in `RULE_OUTCOMES`. */
export type OutcomeCode = number;

/** The number of each outcome. */
export const OUTCOME = Object.fromEntries(RULE_OUTCOMES.map((name, code) => [name, code])) as Readonly<
  Record<RuleOutcome, OutcomeCode>
>;

/** The name of an outcome, as stored in a trace. An unknown number is `disabled`: it grants nothing. */
export function outcomeName(code: OutcomeCode): RuleOutcome {
  return RULE_OUTCOMES[code] ?? "disabled";
}
