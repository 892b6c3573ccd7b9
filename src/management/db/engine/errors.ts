/**
 * Translation of SQLite's errors to failures that may be shown: never with a bound parameter or a query.
 *
 * drizzle puts bound parameters into the message of its own error, so that error never leaves the engine.
 *
 * @module
 */
import { SQLiteError } from "bun:sqlite";
import { DrizzleQueryError } from "drizzle-orm";
import { QfError } from "../../../base/errors.ts";
import { postgresCode } from "./driver-code.ts";

/** Whether `error` says that a row with this key exists already. */
export function isUniqueViolation(error: unknown): boolean {
  const code = sqliteCode(error) ?? postgresCode(error);
  return code === "SQLITE_CONSTRAINT_UNIQUE" || code === "SQLITE_CONSTRAINT_PRIMARYKEY" || code === "23505";
}

/** The error that the store throws for `error`: itself, unless it comes from the database. */
export function asStoreError(error: unknown, path: string): unknown {
  if (error instanceof QfError) return error;
  const code = sqliteCode(error);
  if (code === undefined) {
    if (!(error instanceof DrizzleQueryError)) return error;
    return error.cause instanceof Error && !(error.cause instanceof DrizzleQueryError)
      ? error.cause
      : new QfError("ERR_INTERNAL", "the database refused a query");
  }
  const cause = withoutParameters(error);
  if (/^SQLITE_(?:CORRUPT|NOTADB|SCHEMA)/.test(code)) return damaged(path, cause);
  if (/^SQLITE_CONSTRAINT_(?:UNIQUE|PRIMARYKEY)/.test(code)) {
    return new QfError("ERR_CONFLICT", "it exists already", { cause });
  }
  if (code === "SQLITE_CONSTRAINT_FOREIGNKEY") {
    return new QfError("ERR_CONFLICT", "it refers to something that is not there", { cause });
  }
  if (code === "SQLITE_FULL") {
    return new QfError("ERR_UNAVAILABLE", "the database cannot be written: the disk is full", {
      hint: "make room on the disk of management's data folder",
      cause,
    });
  }
  if (/^SQLITE_(?:BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN)/.test(code)) {
    return new QfError("ERR_UNAVAILABLE", "the database cannot be used at the moment", {
      hint: "check free space and permissions of management's data folder",
      cause,
    });
  }
  return new QfError("ERR_INTERNAL", "the database refused a query", { cause });
}

/** The refusal to use a database that is not what we wrote. It is left untouched. */
export function damaged(path: string, cause?: unknown): QfError {
  return new QfError("ERR_STATE_DAMAGED", `the database ${path} is damaged`, {
    hint: "it was left untouched: restore it from a backup",
    cause,
  });
}

function sqliteCode(error: unknown): string | undefined {
  const found = withoutParameters(error);
  return found === undefined ? undefined : (found.code ?? "SQLITE_ERROR");
}

/** SQLite's own error, whose message names tables and columns but holds no values. */
function withoutParameters(error: unknown): SQLiteError | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at instanceof SQLiteError) return at;
  }
  return undefined;
}
