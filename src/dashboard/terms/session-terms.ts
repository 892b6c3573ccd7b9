/**
 * Terms by which sessions are filtered, as they stand in the address and as the API takes them.
 *
 * @module
 */

/** In the address: which list, and what of it. `since` and `until` are days, as in `2026-11-30`. */
export interface SessionTerms {
  /** Absent: those that go on now. */
  readonly show?: "history";
  readonly user?: string;
  readonly machine?: string;
  readonly as?: string;
  readonly since?: string;
  readonly until?: string;
}

/** What is typed by hand. */
export const TYPED_TERMS = ["user", "machine", "as"] as const;
/** Days, of the history only. */
export const DAY_TERMS = ["since", "until"] as const;

const CHARS_MAX = 254;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Those of an address; anything else is left out. */
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

/** The query of the API. A day begins and ends where the reader is; `until` is the last day that counts. */
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

/** Midnight at the beginning of `day`, or some days later. */
function startOf(day: string, later: number): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}
