/**
 * The lifetime of a token in days: one of the choices, or a typed number.
 *
 * @module
 */
const DAYS_MAX = 365;

/** Null unless it is a whole number from 1 to 365. */
export function daysOf(lasts: string, typed: string): number | null {
  const text = (lasts === "other" ? typed : lasts).trim();
  const days = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  return days >= 1 && days <= DAYS_MAX ? days : null;
}

/** The problem with the typed number. Null if it is valid, or not typed yet. */
export function daysProblem(typed: string): string | null {
  if (typed.trim() === "" || daysOf("other", typed) !== null) return null;
  return `Write a whole number from 1 to ${DAYS_MAX}.`;
}
