/**
 * The filter terms of the audit log, as the URL carries them.
 *
 * @module
 */
import { parseDay } from "../../components/day-text.ts";

export const AUDIT_TERMS = ["user", "machine", "activity", "receipt", "since", "until"] as const;
export type AuditTerm = (typeof AUDIT_TERMS)[number];

/** `since` and `until` are days, such as `2026-11-30`. */
export type AuditTerms = { readonly [T in AuditTerm]?: string };

const CHARS_MAX = 256;

/** The terms in a URL. Unknown and malformed ones are ignored. */
export function auditTermsOf(search: Readonly<Record<string, unknown>>): AuditTerms {
  const given = AUDIT_TERMS.flatMap((term) => {
    const value = search[term];
    const text = typeof value === "number" ? String(value) : value;
    if (typeof text !== "string" || text === "" || text.length > CHARS_MAX) return [];
    return isDay(term) && parseDay(text) === null ? [] : [[term, text] as const];
  });
  return Object.fromEntries(given);
}

export function isDay(term: AuditTerm): boolean {
  return term === "since" || term === "until";
}

/** The API query. Days are in the browser's time zone, and `until` is inclusive. */
export function auditQueryOf({ since, until, ...terms }: AuditTerms): Readonly<Record<string, string>> {
  return {
    ...terms,
    ...(since === undefined ? {} : { since: startOf(since, 0) }),
    ...(until === undefined ? {} : { until: startOf(until, 1) }),
  };
}

/** Local midnight at the start of the day `text`, or `later` days after it. */
function startOf(text: string, later: number): string {
  const { year, month, date } = parseDay(text) ?? { year: 1970, month: 1, date: 1 };
  return new Date(year, month - 1, date + later).toISOString();
}
