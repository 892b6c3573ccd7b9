import { expect, test } from "bun:test";
import { hourly, hourName } from "../../../../src/dashboard/pages/overview/hourly.ts";

const NOW = Date.parse("2026-11-30T12:30:00Z");

test("events are counted in their hour, the present one last", () => {
  const at = ["2026-11-30T12:00:00Z", "2026-11-30T12:29:59Z", "2026-11-30T11:59:59Z", "2026-11-30T10:00:00Z"];
  expect(hourly(at, 4, NOW)).toEqual([0, 1, 1, 2]);
});

test("what is older is left out, and what another clock dates ahead is of now", () => {
  expect(hourly(["2026-11-30T08:59:59Z", "2026-11-30T13:10:00Z"], 4, NOW)).toEqual([0, 0, 0, 1]);
  expect(hourly([], 2, NOW)).toEqual([0, 0]);
});

test("a bar is named by the hour in which it begins", () => {
  expect(hourName(3, 4, NOW)).toMatch(/^\d\d:00$/);
});
