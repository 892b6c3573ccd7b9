import { expect, test } from "bun:test";
import { isNever, relativeTime } from "../../../src/dashboard/components/moments.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");

test.each([
  ["2026-11-30T11:59:55Z", "now"],
  ["2026-11-30T11:59:30Z", "30 seconds ago"],
  ["2026-11-30T11:55:00Z", "5 minutes ago"],
  ["2026-11-30T09:00:00Z", "3 hours ago"],
  ["2026-11-29T12:00:00Z", "yesterday"],
  ["2026-12-02T12:00:00Z", "in 2 days"],
  ["2025-11-30T12:00:00Z", "last year"],
])("%s is %s", (iso, words) => expect(relativeTime(iso, NOW)).toBe(words));

test("the first year is never", () => {
  expect([isNever("0001-01-01T00:00:00Z"), isNever("2026-01-01T00:00:00Z")]).toEqual([true, false]);
});
