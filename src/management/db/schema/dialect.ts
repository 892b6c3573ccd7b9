/**
 * The column kinds that tables are made of: the one place where the schemas of the databases differ.
 *
 * Tables (schema/*.ts) are functions of a `Dialect`, so one source serves both databases. PostgreSQL's is
 * `../postgres/dialect.ts`, with the same members. Types are written once, for SQLite. Query functions use
 * only what both builders share: awaited `select`, `insert`, `update` and `delete`, `returning` and
 * `onConflict…`, never `.get()`, `.all()` or `.run()`. Each database has its own folder of migrations.
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
  /** Ids, names and digests, compared byte for byte. */
  text: (name: string) => text(name),
  /** A word from a closed list, which our types check and the database does not. */
  word: <const W extends readonly [string, ...string[]]>(name: string, words: W) =>
    text(name, { enum: words }),
  /** Counters and times (Unix seconds unless the name says milliseconds): exact up to 2^53. */
  integer: (name: string) => integer(name),
  boolean: (name: string) => integer(name, { mode: "boolean" }),
  /** Parsed on reading. A `wire` schema checked the value before it was written. */
  json: <T>(name: string) => text(name, { mode: "json" }).$type<T>(),
  index,
  uniqueIndex,
  primaryKey,
  foreignKey,
};

export type Dialect = typeof sqliteDialect;
