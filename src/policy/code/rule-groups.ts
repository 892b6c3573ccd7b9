/**
 * Groups that a rule names, in every field that can name one.
 *
 * @module
 */
import type { PolicyRuleWrite } from "../../wire/policy.ts";
import type { GroupId } from "../../wire/units.ts";

/** Every group that a rule names. */
export function groupsOfRule(rule: Omit<PolicyRuleWrite, "id">): Set<GroupId> {
  return new Set([
    ...(rule.sources ?? []),
    ...(rule.destinations ?? []),
    ...(rule.source_devices ?? []),
    ...(rule.allow_intercepted ?? []),
    ...(rule.approver_groups ?? []),
    ...Object.keys(rule.authorized_groups ?? {}),
  ]);
}
