/**
 * Filter terms for sessions, in the address and for the API.
 *
 * @module
 */

/** Terms in the address: the list and its filter. `since` and `until` are days, such as `2026-11-30`. */
export interface SessionTerms {
  /** Absent: current sessions. */
  readonly show?: "history";
  readonly user?: string;
  readonly machine?: string;
  readonly as?: string;
  readonly since?: string;
  readonly until?: string;
}

/** Terms that the user types. */
export const TYPED_TERMS = ["user", "machine", "as"] as const;
/** Days, for the history only. */
export const DAY_TERMS = ["since", "until"] as const;

const CHARS_MAX = 254;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Reads the terms in an address and ignores anything else. */
export function sessionTermsOf(search: Readonly<Record<string, unknown>>): SessionTerms {
  const given = (names: readonly string[], isGood: (text: string) => boolean) =>
    names.flatMap((name) => {
      const value = search[name];
      const text = typeof value === "number" ? String(value) : value;
      return typeof text === "string" && isGood(text) ? [[name, text] as const] : [];
    });
  const isText = (text: string): boolean => text !== "" && text.length <= CHARS_MAX;
  const isHistory = search.show === "history";
  return {
    ...(isHistory ? { show: "history" as const } : {}),
    ...Object.fromEntries(given(TYPED_TERMS, isText)),
    ...(isHistory ? Object.fromEntries(given(DAY_TERMS, isDay)) : {}),
  };
}

function isDay(text: string): boolean {
  return DAY.test(text) && !Number.isNaN(Date.parse(text));
}

/** The API query. A day begins and ends in the reader's time zone. `until` is the last day included. */
export function sessionQueryOf(terms: SessionTerms): Record<string, string> {
  const { user, machine, as, since, until } = terms;
  const query = {
    state: terms.show === "history" ? "ended" : "live",
    user,
    machine,
    local_user: as,
    since: since === undefined ? undefined : startOf(since, 0),
    until: until === undefined ? undefined : startOf(until, 1),
  };
  return Object.fromEntries(
    Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}

/** Midnight at the start of `day`, or `later` days after it. */
function startOf(day: string, later: number): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}
