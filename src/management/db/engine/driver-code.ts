/**
 * Codes of PostgreSQL and of its driver, found in whatever error holds them.
 *
 * @module
 */
import postgres from "postgres";

/** Of the driver, where there is no connection or none any more. */
export const CONNECTION_CODES: ReadonlySet<string> = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EAI_AGAIN",
]);

/** SQLSTATE, or the code of the driver. Undefined: the error is none of the database's. */
export function postgresCode(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at instanceof postgres.PostgresError) return at.code;
    const code = (at as { code?: unknown }).code;
    if (typeof code === "string" && CONNECTION_CODES.has(code)) return code;
  }
  return undefined;
}
