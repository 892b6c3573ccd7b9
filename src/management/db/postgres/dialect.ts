/**
 * PostgreSQL's column kinds for the same tables. See `../schema/dialect.ts`.
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
  /** Migrations add COLLATE "C", so that text is compared byte for byte, as in SQLite. */
  text: (name: string) => text(name),
  word: <const W extends readonly [string, ...string[]]>(name: string, words: W) =>
    text(name, { enum: words }),
  integer: (name: string) => bigint(name, { mode: "number" }),
  boolean: (name: string) => boolean(name),
  /** Not `jsonb`, which reorders keys: what is read must equal what was written. */
  json: <T>(name: string) => json(name).$type<T>(),
  index,
  uniqueIndex,
  primaryKey,
  foreignKey,
};

/** Typed as SQLite's dialect: both builders share every method that the queries use. */
export const pgDialect = columns as unknown as Dialect;
