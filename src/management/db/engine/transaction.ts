/**
 * The argument of query functions: a `Reader` to read, a `Writer` to write.
 *
 * A `Writer` exists only inside a transaction. `../store.ts` makes both.
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
/** What a writing query needs. Only a transaction provides it. */
export interface Writer extends Reader {
  readonly [inTransaction]: true;
}
