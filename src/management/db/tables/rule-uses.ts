/**
 * Last decisions of rules, as machines report them.
 *
 * @module
 */
import { and, eq, inArray, notInArray } from "drizzle-orm";
import type { AccountId, EpochSeconds, PolicyId, RuleId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { Row } from "../schema/schema.ts";

export type RuleUseRow = Row<"ruleUses">;

/** A rule in constant use is written once in this time. */
const STEP_SECONDS = 60;
/** Ids in one query, to stay below the database's limit on parameters. */
const CHUNK = 500;

export function listRuleUses(tx: Reader, accountId: AccountId): Promise<RuleUseRow[]> {
  const { ruleUses } = tx.t;
  return tx.sql.select().from(ruleUses).where(eq(ruleUses.accountId, accountId));
}

/**
 * Stores when rules last decided. Machines name the rules, so what is not a rule of the account is ignored.
 * Costs one query for rules that decided within the last minute as well.
 */
export async function noteRuleUses(
  tx: Writer,
  accountId: AccountId,
  uses: ReadonlyMap<RuleId, EpochSeconds>,
): Promise<void> {
  const all = [...uses.keys()];
  for (let at = 0; at < all.length; at += CHUNK) {
    await noteChunk(tx, accountId, uses, all.slice(at, at + CHUNK));
  }
}

async function noteChunk(
  tx: Writer,
  accountId: AccountId,
  uses: ReadonlyMap<RuleId, EpochSeconds>,
  ids: readonly RuleId[],
): Promise<void> {
  const { ruleUses, policyRules } = tx.t;
  const rows = await tx.sql
    .select({ id: policyRules.id, lastAt: ruleUses.lastAt })
    .from(policyRules)
    .leftJoin(ruleUses, eq(ruleUses.ruleId, policyRules.id))
    .where(and(eq(policyRules.accountId, accountId), inArray(policyRules.id, [...ids])));
  for (const { id: ruleId, lastAt: known } of rows) {
    const lastAt = uses.get(ruleId) ?? 0;
    if (known !== null && lastAt < known + STEP_SECONDS) continue;
    await tx.sql
      .insert(ruleUses)
      .values({ ruleId, accountId, countedSince: 0, lastAt })
      .onConflictDoUpdate({ target: ruleUses.ruleId, set: { lastAt } });
  }
}

/** Forgets the rules of a policy except those that it keeps. */
export async function forgetRuleUses(tx: Writer, policyId: PolicyId, kept: readonly RuleId[]): Promise<void> {
  const { ruleUses, policyRules } = tx.t;
  const gone = tx.sql
    .select({ id: policyRules.id })
    .from(policyRules)
    .where(and(eq(policyRules.policyId, policyId), notInArray(policyRules.id, [...kept])));
  await tx.sql.delete(ruleUses).where(inArray(ruleUses.ruleId, gone));
}
