/**
 * Days that a token lasts: one of the choices, or a number that was typed.
 *
 * @module
 */
const DAYS_MAX = 365;

/** Null: what was typed is no such number. */
export function daysOf(lasts: string, typed: string): number | null {
  const text = (lasts === "other" ? typed : lasts).trim();
  const days = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  return days >= 1 && days <= DAYS_MAX ? days : null;
}

/** What is wrong with what was typed. Null: nothing, or it is not typed yet. */
export function daysProblem(typed: string): string | null {
  if (typed.trim() === "" || daysOf("other", typed) !== null) return null;
  return `Write a whole number from 1 to ${DAYS_MAX}.`;
}
