/**
 * Every table, for one dialect. `dialect.ts` explains how one source serves both databases.
 *
 * @module
 */

import { accessTables } from "./access.ts";
import { accountTables } from "./accounts.ts";
import { type Dialect, sqliteDialect } from "./dialect.ts";
import { evidenceTables } from "./evidence.ts";
import { networkTables } from "./network.ts";
import { outletTables } from "./outlets.ts";
import { policyStateTables } from "./policy-states.ts";
import { recordingTables } from "./recordings.ts";
import { rolloutTables } from "./rollouts.ts";
import { ruleUseTables } from "./rule-uses.ts";
import { trustTables } from "./trust.ts";

export function defineSchema(d: Dialect) {
  const accounts = accountTables(d);
  const network = networkTables(d, accounts);
  return {
    ...accounts,
    ...network,
    ...accessTables(d, accounts, network),
    ...trustTables(d, accounts),
    ...evidenceTables(d),
    ...outletTables(d, accounts),
    ...recordingTables(d),
    ...policyStateTables(d, accounts),
    ...ruleUseTables(d, accounts),
    ...rolloutTables(d, accounts, network),
  };
}

export type Schema = ReturnType<typeof defineSchema>;

export const sqliteSchema: Schema = defineSchema(sqliteDialect);

/** A row as it is read: `Row<"peers">`. */
export type Row<T extends keyof Schema> = Schema[T]["$inferSelect"];
/** A row as it is written. */
export type NewRow<T extends keyof Schema> = Schema[T]["$inferInsert"];
