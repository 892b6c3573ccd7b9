/**
 * Every table, for one dialect. `../dialect.ts` says how another database joins.
 *
 * @module
 */

import { accountTables } from "./accounts.ts";
import { type Dialect, sqliteDialect } from "./dialect.ts";
import { evidenceTables } from "./evidence.ts";
import { networkTables } from "./network.ts";
import { outletTables } from "./outlets.ts";
import { trustTables } from "./trust.ts";

export function defineSchema(d: Dialect) {
  const accounts = accountTables(d);
  return {
    ...accounts,
    ...networkTables(d, accounts),
    ...trustTables(d, accounts),
    ...evidenceTables(d),
    ...outletTables(d, accounts),
  };
}

export type Schema = ReturnType<typeof defineSchema>;

export const sqliteSchema: Schema = defineSchema(sqliteDialect);

/** A row as it is read: `Row<"peers">`. */
export type Row<T extends keyof Schema> = Schema[T]["$inferSelect"];
/** A row as it is written. */
export type NewRow<T extends keyof Schema> = Schema[T]["$inferInsert"];
