/**
 * Names of rules for warnings. Names may be equal, so an id follows where a name alone says too little.
 *
 * @module
 */
import type { PolicyWithRules } from "../../db/tables/policies.ts";

/** `rule "web" of policy "deploy"` for each rule, by its id. */
export function ruleNames(policies: readonly PolicyWithRules[]): ReadonlyMap<string, string> {
  const ofPolicies = namesOf(policies.map(({ policy }) => policy));
  return new Map(
    policies.flatMap(({ policy, rules }) => {
      const ofRules = namesOf(rules.map(({ id, body }) => ({ id, name: body.name })));
      return rules.map(
        ({ id }) => [id, `rule ${ofRules.get(id)} of policy ${ofPolicies.get(policy.id)}`] as const,
      );
    }),
  );
}

/** Names by id, in quotation marks. An id follows the name where another has the same. */
function namesOf(all: readonly { readonly id: string; readonly name: string }[]): Map<string, string> {
  const counts = new Map<string, number>();
  for (const { name } of all) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map(
    all.map(({ id, name }) => [id, `"${name}"${(counts.get(name) ?? 0) > 1 ? ` (${id})` : ""}`] as const),
  );
}
