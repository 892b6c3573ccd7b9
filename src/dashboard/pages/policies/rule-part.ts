/**
 * The shape that every part of a rule's form has.
 *
 * @module
 */
import type { NameChoice } from "../../components/names-field.tsx";
import type { FileRule } from "./policy-draft.ts";

/** What names can be picked. */
export interface Choices {
  readonly groups: readonly NameChoice[];
  readonly machines: readonly NameChoice[];
  readonly postureChecks: readonly NameChoice[];
}

export interface RulePartProps {
  readonly rule: FileRule;
  readonly onRule: (rule: FileRule) => void;
  readonly choices: Choices;
  /** By field, as the API names it. */
  readonly problems: ReadonlyMap<string, string>;
}
