/**
 * Finds the part of an API refusal that is about one field.
 *
 * @module
 */
import { ApiError } from "../api/client.ts";

const REFUSALS: ReadonlySet<number> = new Set([400, 409, 422]);

/**
 * The problem with `field`, such as `name` or `checks.linux.min_version`, without the field's name. Null if
 * the refusal is about something else, or there is none.
 */
export function problemAt(error: unknown, field: string): string | null {
  if (!(error instanceof ApiError) || !REFUSALS.has(error.status)) return null;
  const path = field.replace(/[.[\]]/g, "\\$&");
  const place = new RegExp(`^(?:[\\w.[\\]]+\\.)?${path}(?:\\[\\d+\\])?:?\\s+(.+)$`, "isu");
  for (const fault of error.message.replace(/\.$/, "").split("; ")) {
    const said = place.exec(fault)?.[1];
    if (said !== undefined) return `${said.slice(0, 1).toUpperCase()}${said.slice(1)}.`;
  }
  return null;
}

/** The problem with a name. A refusal of a name that is taken is shown in full. */
export function nameProblem(error: unknown): string | null {
  const known = problemAt(error, "name");
  if (known !== null || !(error instanceof ApiError)) return known;
  return REFUSALS.has(error.status) && / already\b/.test(error.message) ? error.message : null;
}
