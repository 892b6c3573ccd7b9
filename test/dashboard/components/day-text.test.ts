import { expect, test } from "bun:test";
import {
  dayAfter,
  dayInMonth,
  dayText,
  longDay,
  parseDay,
  utcSeconds,
  weeksOf,
} from "../../../src/dashboard/components/day-text.ts";

test.each<[text: string, day: string | null]>([
  ["2026-12-24", "2026-12-24"],
  [" 2026-1-2 ", "2026-01-02"],
  ["2024-02-29", "2024-02-29"],
  ["2026-02-29", null],
  ["2026-13-01", null],
  ["2026-00-10", null],
  ["24.12.2026", null],
  ["", null],
])("%p is the day %p", (text, day) => {
  const parsed = parseDay(text);
  expect(parsed === null ? null : dayText(parsed)).toBe(day);
});

test("days go on over months and years; a date that a month lacks is its last", () => {
  expect(dayText(dayAfter({ year: 2026, month: 12, date: 31 }, 1))).toBe("2027-01-01");
  expect(dayText(dayAfter({ year: 2026, month: 3, date: 1 }, -1))).toBe("2026-02-28");
  expect(dayText(dayInMonth({ year: 2026, month: 1, date: 31 }, 1))).toBe("2026-02-28");
  expect(dayText(dayInMonth({ year: 2026, month: 1, date: 15 }, -1))).toBe("2025-12-15");
});

test("a month is shown by whole weeks from Monday on", () => {
  const weeks = weeksOf({ year: 2026, month: 11, date: 5 });
  expect(weeks.map((week) => week.length)).toEqual([7, 7, 7, 7, 7, 7]);
  expect([weeks[0]?.[0], weeks[5]?.[6]].map((day) => day && dayText(day))).toEqual([
    "2026-10-26",
    "2026-12-06",
  ]);
  expect(longDay({ year: 2026, month: 12, date: 24 })).toMatch(/^Thursday,? 24 December 2026$/);
});

test.each<[day: string, time: string, iso: string | null]>([
  ["2026-12-24", "18:00", "2026-12-24T18:00:00.000Z"],
  ["2026-12-24", "8:05", "2026-12-24T08:05:00.000Z"],
  ["2026-12-24", "24:00", null],
  ["2026-12-24", "6pm", null],
  ["tomorrow", "18:00", null],
])("%s at %s is %p", (day, time, iso) => {
  const seconds = utcSeconds(day, time);
  expect(seconds === null ? null : new Date(seconds * 1000).toISOString()).toBe(iso);
});
