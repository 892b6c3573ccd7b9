/**
 * A transaction as query functions take it: a `Reader` to read, a `Writer` to write.
 *
 * A `Writer` exists only inside a transaction; `../store.ts` opens both.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";
import type { Schema } from "../schema/schema.ts";
import type { SqlDatabase } from "./connection.ts";

/** What a reading query needs. */
export interface Reader {
  readonly sql: SqlDatabase;
  readonly t: Schema;
  readonly clock: Clock;
}

declare const inTransaction: unique symbol;
/** What a writing query needs: only a transaction gives one. */
export interface Writer extends Reader {
  readonly [inTransaction]: true;
}
