/**
 * Last decisions of rules, for telling those that nobody uses.
 *
 * @module
 */
import { type AccountTables, accountIdColumn } from "./accounts.ts";
import type { Dialect } from "./dialect.ts";

export function ruleUseTables(d: Dialect, { accounts }: Pick<AccountTables, "accounts">) {
  const ruleUses = d.table(
    "rule_uses",
    {
      /** No foreign key: saving a policy writes its rules anew, by the same ids. */
      ruleId: d.text("rule_id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
      /** Decisions before it may be missing. Zero: none are. */
      countedSince: d.integer("counted_since").notNull(),
      /** Null: it has decided nothing since then. */
      lastAt: d.integer("last_at"),
    },
    (table) => [d.index("rule_uses_account").on(table.accountId)],
  );
  return { ruleUses };
}
