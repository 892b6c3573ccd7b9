/**
 * Earlier states of an account's policies.
 *
 * @module
 */

import type { PolicyChangeEntry } from "../../../wire/policy-code-api.ts";
import { POLICY_STATE_WAYS, type PolicyState } from "../../../wire/policy-history.ts";
import { type AccountTables, accountIdColumn } from "./accounts.ts";
import type { Dialect } from "./dialect.ts";

export function policyStateTables(d: Dialect, { accounts }: Pick<AccountTables, "accounts">) {
  const policyStates = d.table(
    "policy_states",
    {
      accountId: accountIdColumn(d, accounts),
      /** Grows by one with each state of the account. */
      number: d.integer("number").notNull(),
      state: d.json<PolicyState>("state").notNull(),
      /** Size of `state` as JSON. */
      bytes: d.integer("bytes").notNull(),
      at: d.integer("at").notNull(),
      /** Empty: the state is older than this table. */
      userId: d.text("user_id").notNull(),
      userName: d.text("user_name").notNull(),
      via: d.word("via", POLICY_STATE_WAYS).notNull(),
      reason: d.text("reason").notNull(),
      /** Against the state before. Null: it is older than this column. */
      changes: d.json<PolicyChangeEntry[]>("changes"),
    },
    (table) => [d.primaryKey({ columns: [table.accountId, table.number] })],
  );
  return { policyStates };
}
