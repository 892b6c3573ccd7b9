/**
 * The API's refusal at the field that it is about.
 *
 * @module
 */
import { ApiError } from "../api/client.ts";

const REFUSALS: ReadonlySet<number> = new Set([400, 409, 422]);

/**
 * What is wrong with `field`, as in `name` or `checks.linux.min_version`, without the field's own name. Null:
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

/** A refusal that is about the name: one that is taken says so in words of its own. */
export function nameProblem(error: unknown): string | null {
  const known = problemAt(error, "name");
  if (known !== null || !(error instanceof ApiError)) return known;
  return REFUSALS.has(error.status) && / already\b/.test(error.message) ? error.message : null;
}
