/**
 * Days and times of day as typed: `2026-12-24` and `18:00`.
 *
 * @module
 */

/** A calendar day. `month` counts from 1. */
export interface Day {
  readonly year: number;
  readonly month: number;
  readonly date: number;
}

/** Null if there is no such day. */
export function parseDay(text: string): Day | null {
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text.trim());
  if (match === null) return null;
  const [year, month, date] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const at = new Date(Date.UTC(year, month - 1, date));
  const isThere = at.getUTCFullYear() === year && at.getUTCMonth() === month - 1 && at.getUTCDate() === date;
  return isThere ? { year, month, date } : null;
}

/** Such as `2026-12-24`. */
export function dayText({ year, month, date }: Day): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(date)}`;
}

/** The day `days` later, or earlier if negative. */
export function dayAfter({ year, month, date }: Day, days: number): Day {
  const at = new Date(Date.UTC(year, month - 1, date + days));
  return { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, date: at.getUTCDate() };
}

/** The same date `months` later, or the last day of a shorter month. */
export function dayInMonth({ year, month, date }: Day, months: number): Day {
  const first = new Date(Date.UTC(year, month - 1 + months, 1));
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  return {
    year: first.getUTCFullYear(),
    month: first.getUTCMonth() + 1,
    date: Math.min(date, last),
  };
}

/** The weeks of the day's month, Monday first, padded with days of the neighbouring months. */
export function weeksOf({ year, month }: Day): readonly (readonly Day[])[] {
  const first = { year, month, date: 1 };
  const before = (new Date(Date.UTC(year, month - 1, 1)).getUTCDay() + 6) % 7;
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const weeks = Math.ceil((before + length) / 7);
  return Array.from({ length: weeks }, (_, week) =>
    Array.from({ length: 7 }, (__, day) => dayAfter(first, week * 7 + day - before)),
  );
}

/** Such as `Thursday, 24 December 2026`. */
export function longDay({ year, month, date }: Day): string {
  return LONG.format(new Date(Date.UTC(year, month - 1, date)));
}

const LONG = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeZone: "UTC" });

/** A UTC day and time as Unix seconds. Null if either is invalid. */
export function utcSeconds(day: string, time: string): number | null {
  const parsed = parseDay(day);
  const match = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(time.trim());
  if (parsed === null || match === null) return null;
  const { year, month, date } = parsed;
  return Date.UTC(year, month - 1, date, Number(match[1]), Number(match[2])) / 1000;
}
