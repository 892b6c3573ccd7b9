/**
 * Policies, their rules, and the posture checks that they require.
 *
 * @module
 */
import { and, asc, eq, inArray, or } from "drizzle-orm";
import type { AccountId, PolicyId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";
import { forgetRuleUses } from "./rule-uses.ts";

export type PolicyRow = Row<"policies">;
export type PolicyRuleRow = Row<"policyRules">;
export type PostureCheckRow = Row<"postureChecks">;

export interface PolicyWithRules {
  readonly policy: PolicyRow;
  /** In the order they were written. */
  readonly rules: readonly PolicyRuleRow[];
}

/** In order of creation. */
export async function listPolicies(tx: Reader, accountId: AccountId): Promise<PolicyWithRules[]> {
  const { policies, policyRules } = tx.t;
  const rows = await tx.sql
    .select()
    .from(policies)
    .where(eq(policies.accountId, accountId))
    .orderBy(asc(policies.createdAt), asc(policies.id));
  const rules = await tx.sql
    .select()
    .from(policyRules)
    .where(eq(policyRules.accountId, accountId))
    .orderBy(asc(policyRules.position));
  const byPolicy = Map.groupBy(rules, (rule) => rule.policyId);
  return rows.map((policy) => ({ policy, rules: byPolicy.get(policy.id) ?? [] }));
}

/** Rules by their own ids or their policies' ids, as many as one transaction may change. */
export async function listRulesOf(
  tx: Reader,
  accountId: AccountId,
  of: { readonly ruleIds: readonly string[]; readonly policyIds: readonly PolicyId[] },
): Promise<{ policy: PolicyRow; rule: PolicyRuleRow }[]> {
  if (of.ruleIds.length === 0 && of.policyIds.length === 0) return [];
  const { policies, policyRules } = tx.t;
  const those = or(
    inArray(policyRules.id, [...of.ruleIds]),
    inArray(policyRules.policyId, [...of.policyIds]),
  );
  const rows = await tx.sql
    .select()
    .from(policyRules)
    .innerJoin(policies, eq(policies.id, policyRules.policyId))
    .where(and(eq(policyRules.accountId, accountId), those));
  return rows.map((row) => ({ policy: row.policies, rule: row.policy_rules }));
}

export async function findPolicy(
  tx: Reader,
  accountId: AccountId,
  policyId: PolicyId,
): Promise<PolicyWithRules | undefined> {
  const { policies, policyRules } = tx.t;
  const [policy] = await tx.sql
    .select()
    .from(policies)
    .where(and(eq(policies.accountId, accountId), eq(policies.id, policyId)));
  if (policy === undefined) return undefined;
  const rules = await tx.sql
    .select()
    .from(policyRules)
    .where(eq(policyRules.policyId, policyId))
    .orderBy(asc(policyRules.position));
  return { policy, rules };
}

/** Writes the policy and exactly these rules. */
export async function putPolicy(
  tx: Writer,
  policy: PolicyRow,
  rules: readonly NewRow<"policyRules">[],
): Promise<void> {
  const { policies, policyRules } = tx.t;
  const { id, accountId: _, createdAt: __, ...change } = policy;
  await tx.sql.insert(policies).values(policy).onConflictDoUpdate({ target: policies.id, set: change });
  const keptIds = rules.map((rule) => rule.id);
  await forgetRuleUses(tx, id, keptIds);
  await tx.sql.delete(policyRules).where(eq(policyRules.policyId, id));
  await tx.sql.insert(policyRules).values([...rules]);
}

export async function deletePolicy(tx: Writer, accountId: AccountId, policyId: PolicyId): Promise<void> {
  const { policies } = tx.t;
  await forgetRuleUses(tx, policyId, []);
  await tx.sql.delete(policies).where(and(eq(policies.accountId, accountId), eq(policies.id, policyId)));
}

/** The rule with this id, of any account. */
export async function findRule(tx: Reader, ruleId: string): Promise<PolicyRuleRow | undefined> {
  const { policyRules } = tx.t;
  const [row] = await tx.sql.select().from(policyRules).where(eq(policyRules.id, ruleId));
  return row;
}

export function listPostureChecks(tx: Reader, accountId: AccountId): Promise<PostureCheckRow[]> {
  const { postureChecks } = tx.t;
  return tx.sql
    .select()
    .from(postureChecks)
    .where(eq(postureChecks.accountId, accountId))
    .orderBy(asc(postureChecks.createdAt), asc(postureChecks.id));
}

export async function findPostureCheck(
  tx: Reader,
  accountId: AccountId,
  checkId: string,
): Promise<PostureCheckRow | undefined> {
  const { postureChecks } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(postureChecks)
    .where(and(eq(postureChecks.accountId, accountId), eq(postureChecks.id, checkId)));
  return row;
}

export async function putPostureCheck(tx: Writer, check: PostureCheckRow): Promise<void> {
  const { postureChecks } = tx.t;
  const { id: _, accountId: __, createdAt: ___, ...change } = check;
  await tx.sql
    .insert(postureChecks)
    .values(check)
    .onConflictDoUpdate({ target: postureChecks.id, set: change });
}

export async function deletePostureCheck(tx: Writer, accountId: AccountId, checkId: string): Promise<void> {
  const { postureChecks } = tx.t;
  await tx.sql
    .delete(postureChecks)
    .where(and(eq(postureChecks.accountId, accountId), eq(postureChecks.id, checkId)));
}
