import { describe, expect, test } from "bun:test";
import { holdsUntil, isWithinSchedule, isWithinValidity } from "../../../src/policy/decide/schedule.ts";
import type { Schedule } from "../../../src/wire/policy.ts";
import { aRule } from "../../support/policy.ts";

/** Seconds since 1970 of a time in November 2026; the 20th is a Friday. */
const at = (day: number, hour: number, minute = 0, second = 0): number =>
  Date.UTC(2026, 10, day, hour, minute, second) / 1000;
const office: Schedule = { windows: [{ days: ["mon", "fri"], from: "09:30", to: "17:15" }] };
const rule = aRule("r", ["devs"], ["deploy"]);

describe("isWithinSchedule", () => {
  test.each([
    ["before the window", at(20, 9, 29, 59), false],
    ["with the window's first second", at(20, 9, 30), true],
    ["in the window", at(20, 12), true],
    ["in the window's last second", at(20, 17, 14, 59), true],
    ["with the window's end", at(20, 17, 15), false],
    ["the day after", at(21, 12), false],
    ["the day before", at(19, 12), false],
    ["on the other of its days", at(23, 12), true],
    ["a week later", at(27, 12), true],
  ])("%s", (_name, now, want) => {
    expect(isWithinSchedule(office, now)).toBe(want);
  });

  test.each([0, 1, 2, 3, 4, 5, 6])("knows day %i of the week by its name", (day) => {
    const names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
    for (const [index, name] of names.entries()) {
      const schedule: Schedule = { windows: [{ days: [name], from: "00:00", to: "24:00" }] };
      expect(isWithinSchedule(schedule, at(15 + day, 23, 59, 59))).toBe(index === day);
    }
  });

  test("holds always without a schedule, and never without a window", () => {
    expect(isWithinSchedule(null, at(20, 3))).toBe(true);
    expect(isWithinSchedule({ windows: [] }, at(20, 12))).toBe(false);
  });
});

describe("isWithinValidity", () => {
  test.each([
    ["without bounds", null, null, true],
    ["with its first second", 1000, null, true],
    ["a second before", 1001, null, false],
    ["in its last second", null, 1001, true],
    ["with its end", null, 1000, false],
    ["between both", 999, 1001, true],
  ])("%s", (_name, validFromSeconds, validUntilSeconds, want) => {
    expect(isWithinValidity({ ...rule, validFromSeconds, validUntilSeconds }, 1000)).toBe(want);
  });
});

describe("holdsUntil", () => {
  const noon = at(20, 12);
  const windows = (...spans: [from: string, to: string][]): Schedule => ({
    windows: spans.map(([from, to]) => ({ days: ["fri"], from, to })),
  });
  test.each<[string, Schedule | null, number | null, number | null]>([
    ["never ends by itself", null, null, null],
    ["ends with valid_until", null, at(20, 13), at(20, 13)],
    ["ends with its window", office, null, at(20, 17, 15)],
    ["ends with the earlier of both: the window", office, at(20, 18), at(20, 17, 15)],
    ["ends with the earlier of both: valid_until", office, at(20, 13), at(20, 13)],
    [
      "ends with the later of two windows that overlap",
      windows(["09:00", "13:00"], ["11:00", "15:00"]),
      null,
      at(20, 15),
    ],
    ["does so in any order", windows(["11:00", "15:00"], ["09:00", "13:00"]), null, at(20, 15)],
    [
      "is not kept by a window that is yet to come",
      windows(["09:00", "13:00"], ["14:00", "15:00"]),
      null,
      at(20, 13),
    ],
    ["has ended outside of every window", windows(["14:00", "15:00"]), null, noon],
  ])("%s", (_name, schedule, validUntilSeconds, want) => {
    expect(holdsUntil({ ...rule, schedule, validUntilSeconds }, noon)).toBe(want);
  });
});
