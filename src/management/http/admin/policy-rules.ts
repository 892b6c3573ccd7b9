/**
 * Checks of a rule beyond its shape, made on saving, so that no rule means something other than it seems to.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import { faultOfRule } from "../../../policy/code/rule-faults.ts";
import type { PolicyRuleWrite, PolicyWrite } from "../../../wire/policy.ts";

/** Throws ERR_UNPROCESSABLE naming the field of the first fault. `references.ts` checks ids. */
export function requireRules(policy: PolicyWrite): void {
  policy.rules.forEach((rule, i) => {
    const at = `rules[${i}]`;
    requireSides(rule, at);
    const fault = faultOfRule(rule, at);
    if (fault !== null) throw unprocessable(fault.message, fault.hint);
  });
}

function requireSides(rule: PolicyRuleWrite, at: string): void {
  const sides = [
    { groups: "sources", resource: "sourceResource" },
    { groups: "destinations", resource: "destinationResource" },
  ] as const;
  for (const { groups, resource } of sides) {
    // An empty list counts as given: it means nobody, not "any".
    const hasGroups = (rule[groups] ?? null) !== null;
    const hasResource = (rule[resource] ?? null) !== null;
    if (hasGroups && hasResource) {
      throw unprocessable(`${at} has both ${groups} and ${resource}`, `give ${groups} or ${resource}`);
    }
    if (!hasGroups && !hasResource) {
      throw unprocessable(`${at} has neither ${groups} nor ${resource}`, `give ${groups} or ${resource}`);
    }
  }
}

export function unprocessable(message: string, hint?: string): QfError {
  return new QfError("ERR_UNPROCESSABLE", message, hint === undefined ? {} : { hint });
}
