/**
 * Translation of PostgreSQL's errors to failures that may be shown: never with a parameter, query or URL.
 *
 * @module
 */
import { DrizzleQueryError } from "drizzle-orm";
import { QfError } from "../../../base/errors.ts";
import { CONNECTION_CODES, postgresCode } from "../engine/driver-code.ts";

/** Whether the transaction was rolled back and may be retried: serialization failure or deadlock. */
export function isRetryable(error: unknown): boolean {
  const code = postgresCode(error);
  return code === "40001" || code === "40P01";
}

/** Whether the connection ended during a query: the server restarted, or a proxy dropped it. */
export function isConnectionLost(error: unknown): boolean {
  const code = postgresCode(error);
  return code === "CONNECTION_CLOSED" || code === "ECONNRESET" || code === "57P01";
}

/** The error that the store throws for `error`: itself, unless it comes from the database. */
export function asPostgresStoreError(error: unknown): unknown {
  if (error instanceof QfError) return error;
  const code = postgresCode(error);
  if (code === undefined) {
    if (!(error instanceof DrizzleQueryError)) return error;
    return error.cause instanceof Error && !(error.cause instanceof DrizzleQueryError)
      ? error.cause
      : new QfError("ERR_INTERNAL", "the database refused a query");
  }
  // Keep only the code: the driver's error holds the query and its parameters.
  const cause = new Error(`PostgreSQL ${code}`);
  if (code === "23505") return new QfError("ERR_CONFLICT", "it exists already", { cause });
  if (code === "23503") {
    return new QfError("ERR_CONFLICT", "it refers to something that is not there", { cause });
  }
  if (code.startsWith("22")) {
    return new QfError("ERR_BAD_REQUEST", "a value is not one that the database can hold", { cause });
  }
  if (code.startsWith("28")) {
    return new QfError("ERR_PERMISSION", "the database refuses this user", {
      hint: "check user and password of the database URL",
      cause,
    });
  }
  if (code === "3D000") {
    return new QfError("ERR_NOT_INITIALISED", "there is no such database", {
      hint: "create it first, as in: createdb -O USER DATABASE",
      cause,
    });
  }
  if (CONNECTION_CODES.has(code) || /^(?:08|25P03|40|53|55P03|57|58)/.test(code)) {
    return new QfError("ERR_UNAVAILABLE", "the database cannot be used at the moment", {
      hint: "check that PostgreSQL runs and that the database URL is right",
      cause,
    });
  }
  return new QfError("ERR_INTERNAL", "the database refused a query", { cause });
}
