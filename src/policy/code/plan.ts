/**
 * Changes that a policy file makes of an account, piece by piece: policies, rules, groups and tests.
 *
 * Compares an account with what `resolveFile` made of it. `difference.ts` computes whom the changes affect.
 *
 * @module
 */
import type { AccountPolicy, AccountRule, PolicyAccount } from "../../wire/policy-account.ts";
import { meaningOf } from "./resolve-rules.ts";

/** One piece that is added, changed or removed. */
export interface PolicyChange {
  readonly what: "policy" | "rule" | "group" | "tests";
  readonly change: "added" | "changed" | "removed";
  /** The policy's or group's name. Empty for tests. */
  readonly name: string;
  /** For a rule: its name, or `rule 2`. */
  readonly rule?: string;
  /** Ids, if already assigned. */
  readonly policyId?: string;
  readonly ruleId?: string;
  /** Changed fields. */
  readonly fields?: readonly string[];
}

/** The parts of an account that a policy file can set. */
type PolicyContent = Pick<PolicyAccount, "policies" | "groups" | "tests">;

/** The changes from `before` to `after`, in the file's order. What is the same object is unchanged. */
export function planOf(before: PolicyContent, after: PolicyContent): PolicyChange[] {
  const old = new Map(before.policies.map((policy) => [policy.id, policy]));
  const ids = new Set(after.policies.map(({ id }) => id));
  return [
    ...after.policies.flatMap((policy) => changesOf(old.get(policy.id), policy)),
    ...before.policies.filter(({ id }) => !ids.has(id)).map((policy) => policyChange(policy, "removed")),
    ...groupChanges(before, after),
    ...testChanges(before, after),
  ];
}

function changesOf(old: AccountPolicy | undefined, now: AccountPolicy): PolicyChange[] {
  if (old === now) return [];
  if (old === undefined) {
    return [policyChange(now, "added"), ...now.rules.map((rule, i) => ruleChange(now, rule, i, "added"))];
  }
  const fields = (["name", "description", "enabled", "sourcePostureChecks"] as const).filter(
    (field) => JSON.stringify(old[field] ?? "") !== JSON.stringify(now[field] ?? ""),
  );
  const before = new Map(old.rules.map((rule) => [rule.id, rule]));
  const kept = new Set(now.rules.map(({ id }) => id));
  const rules = now.rules.flatMap((rule, i) => {
    const was = before.get(rule.id);
    if (was === undefined) return [ruleChange(now, rule, i, "added")];
    if (was === rule || meaningOf(was) === meaningOf(rule)) return [];
    return [{ ...ruleChange(now, rule, i, "changed"), fields: fieldsOf(was, rule) }];
  });
  const gone = old.rules.flatMap((rule, i) =>
    kept.has(rule.id) ? [] : [ruleChange(old, rule, i, "removed")],
  );
  const own = fields.length === 0 ? [] : [{ ...policyChange(now, "changed"), fields: fields.map(fieldName) }];
  return [...own, ...rules, ...gone];
}

function policyChange(policy: AccountPolicy, change: PolicyChange["change"]): PolicyChange {
  return { what: "policy", change, name: policy.name, ...idOf("policyId", policy.id) };
}

function ruleChange(
  policy: AccountPolicy,
  rule: AccountRule,
  index: number,
  change: PolicyChange["change"],
): PolicyChange {
  return {
    ...{ what: "rule", change, name: policy.name, rule: rule.name === "" ? `rule ${index + 1}` : rule.name },
    ...idOf("policyId", policy.id),
    ...idOf("ruleId", rule.id),
  };
}

function idOf<K extends string>(key: K, id: string): Partial<Record<K, string>> {
  return id.includes(":") ? {} : ({ [key]: id } as Partial<Record<K, string>>);
}

function fieldsOf(was: AccountRule, now: AccountRule): string[] {
  const old: Readonly<Record<string, unknown>> = was;
  const fresh: Readonly<Record<string, unknown>> = now;
  const fields = new Set([...Object.keys(old), ...Object.keys(fresh)]);
  fields.delete("id");
  return [...fields].filter((field) => text(old[field]) !== text(fresh[field])).sort();
}

/** Empty and absent values compare equal. */
function text(value: unknown): string {
  if (value === null || value === undefined || value === "") return "";
  return typeof value === "object" && Object.keys(value).length === 0 ? "" : JSON.stringify(value);
}

function fieldName(field: "name" | "description" | "enabled" | "sourcePostureChecks"): string {
  return field === "sourcePostureChecks" ? "source_posture_checks" : field;
}

function groupChanges(before: PolicyContent, after: PolicyContent): PolicyChange[] {
  const old = new Map(before.groups.map((group) => [group.id, group]));
  const ids = new Set(after.groups.map(({ id }) => id));
  return [
    ...after.groups.flatMap((group): PolicyChange[] => {
      const was = old.get(group.id);
      if (was === undefined) return [{ what: "group", change: "added", name: group.name }];
      return was === group ? [] : [{ what: "group", change: "changed", name: group.name }];
    }),
    ...before.groups.flatMap(({ id, name }): PolicyChange[] =>
      ids.has(id) ? [] : [{ what: "group", change: "removed", name }],
    ),
  ];
}

function testChanges(before: PolicyContent, after: PolicyContent): PolicyChange[] {
  const isSame = JSON.stringify(before.tests) === JSON.stringify(after.tests);
  return isSame ? [] : [{ what: "tests", change: "changed", name: "" }];
}
