/**
 * The kinds of column that every table is made of: the one place where databases differ.
 *
 * Tables are functions of a `Dialect` (schema/*.ts), so one source serves every database. The second
 * is `postgres/dialect.ts`, with the same members: types are written once, for SQLite, and the query
 * functions use only what both builders have in common (`await select/insert/update/delete`,
 * `returning`, `onConflict…`; never `.get()`, `.all()` or `.run()`). Its migrations are a second folder
 * of SQL.
 *
 * @module
 */
import {
  foreignKey,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";

export const sqliteDialect = {
  name: "sqlite" as const,
  table: sqliteTable,
  /** Ids, names, digests: compared byte for byte. */
  text: (name: string) => text(name),
  /** One of a closed list. The list is checked by our types, not by the database. */
  word: <const W extends readonly [string, ...string[]]>(name: string, words: W) =>
    text(name, { enum: words }),
  /** Counters and times (Unix seconds unless the name says milliseconds): exact up to 2^53. */
  integer: (name: string) => integer(name),
  boolean: (name: string) => integer(name, { mode: "boolean" }),
  /** Parsed on reading; what is in it was checked by a schema of `wire` when it was written. */
  json: <T>(name: string) => text(name, { mode: "json" }).$type<T>(),
  index,
  uniqueIndex,
  primaryKey,
  foreignKey,
};

export type Dialect = typeof sqliteDialect;
