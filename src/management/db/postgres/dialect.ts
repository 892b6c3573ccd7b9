/**
 * The second set of column kinds: PostgreSQL's, for the same tables. See `../dialect.ts`.
 *
 * @module
 */
import {
  bigint,
  boolean,
  foreignKey,
  index,
  json,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import type { Dialect } from "../schema/dialect.ts";

const columns = {
  table: pgTable,
  /** Migrations add COLLATE "C": order and equality are those of bytes, as in SQLite. */
  text: (name: string) => text(name),
  word: <const W extends readonly [string, ...string[]]>(name: string, words: W) =>
    text(name, { enum: words }),
  integer: (name: string) => bigint(name, { mode: "number" }),
  boolean: (name: string) => boolean(name),
  /** Not `jsonb`, which reorders keys: what is read back has to be what was written. */
  json: <T>(name: string) => json(name).$type<T>(),
  index,
  uniqueIndex,
  primaryKey,
  foreignKey,
};

/** Types are written once, for SQLite; both builders have in common all that the queries use. */
export const pgDialect = columns as unknown as Dialect;
