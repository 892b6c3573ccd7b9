/**
 * Terms by which the audit log is filtered, as they stand in the address.
 *
 * @module
 */
import { parseDay } from "../../components/day-text.ts";

export const AUDIT_TERMS = ["user", "machine", "activity", "receipt", "since", "until"] as const;
export type AuditTerm = (typeof AUDIT_TERMS)[number];

/** `since` and `until` are days, as in `2026-11-30`. */
export type AuditTerms = { readonly [T in AuditTerm]?: string };

const CHARS_MAX = 256;

/** Those of an address; anything else is left out. */
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

/** The query of the API. A day begins and ends where the reader is; `until` is the last day that counts. */
export function auditQueryOf({ since, until, ...terms }: AuditTerms): Readonly<Record<string, string>> {
  return {
    ...terms,
    ...(since === undefined ? {} : { since: startOf(since, 0) }),
    ...(until === undefined ? {} : { until: startOf(until, 1) }),
  };
}

/** Midnight at the beginning of `text`, or some days later. */
function startOf(text: string, later: number): string {
  const { year, month, date } = parseDay(text) ?? { year: 1970, month: 1, date: 1 };
  return new Date(year, month - 1, date + later).toISOString();
}
