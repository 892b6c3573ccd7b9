import { expect, test } from "bun:test";
import { agoText, timeText } from "../../src/base/moment.ts";

const NOW = Date.UTC(2026, 10, 20, 12, 0, 0);

test.each([
  ["2026-11-20T12:00:00.000Z", "0 s ago"],
  ["2026-11-20T12:00:09Z", "0 s ago"],
  ["2026-11-20T11:59:01Z", "59 s ago"],
  ["2026-11-20T11:58:30Z", "1 min ago"],
  ["2026-11-20T02:00:00Z", "10 h ago"],
  ["2026-11-10T12:00:00Z", "10 d ago"],
  ["0001-01-01T00:00:00Z", "never"],
  ["", "never"],
])("%s is %s", (time, text) => {
  expect(agoText(time, NOW).replace(/ \(.*/, "")).toBe(text);
});

test.each<[moment: number | string, text: string]>([
  [1_763_640_180, "2025-11-20 12:03:00 UTC"],
  ["2026-11-20T14:03:00.123Z", "2026-11-20 14:03:00 UTC"],
  ["2026-11-20T14:03:00+02:00", "2026-11-20 12:03:00 UTC"],
  ["no time", "unknown"],
])("%p is written %s", (moment, text) => {
  expect(timeText(moment)).toBe(text);
});

test("a distance has its moment with it, with the zone", () => {
  expect(agoText("2026-11-20T09:00:00Z", NOW)).toBe("3 h ago (2026-11-20 09:00:00 UTC)");
});
