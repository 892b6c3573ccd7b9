/**
 * Codes of PostgreSQL and its driver, found along an error's chain of causes.
 *
 * @module
 */
import postgres from "postgres";

/** Driver codes for a connection that failed or was lost. */
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

/** The SQLSTATE or the driver's code. Undefined: the error is not from the database. */
export function postgresCode(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at instanceof postgres.PostgresError) return at.code;
    const code = (at as { code?: unknown }).code;
    if (typeof code === "string" && CONNECTION_CODES.has(code)) return code;
  }
  return undefined;
}
