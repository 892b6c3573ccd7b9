/**
 * Props that all parts of the rule form share.
 *
 * @module
 */
import type { NameChoice } from "../../components/names-field.tsx";
import type { FileRule } from "./policy-draft.ts";

/** Names to pick from. */
export interface Choices {
  readonly groups: readonly NameChoice[];
  readonly machines: readonly NameChoice[];
  readonly postureChecks: readonly NameChoice[];
}

export interface RulePartProps {
  readonly rule: FileRule;
  readonly onRule: (rule: FileRule) => void;
  readonly choices: Choices;
  /** Keyed by field, as the API names it. */
  readonly problems: ReadonlyMap<string, string>;
}
