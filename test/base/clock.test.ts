import { expect, test } from "bun:test";
import { nowSeconds, systemClock } from "../../src/base/clock.ts";
import { FakeClock } from "../support/fake-clock.ts";

test("systemClock gives the wall time in milliseconds, and a time that never goes back", () => {
  const before = Date.now();
  const now = systemClock.nowMs();
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
  const times = Array.from({ length: 100 }, () => systemClock.monotonicMs());
  expect(times.every((time, i) => i === 0 || time >= (times[i - 1] ?? 0))).toBe(true);
});

test.each([
  [0, 0],
  [999, 0],
  [1_000, 1],
  [1_700_000_000_999, 1_700_000_000],
])("nowSeconds of %d ms is %d: a second begins when it is full", (ms, seconds) => {
  expect(nowSeconds({ nowMs: () => ms, monotonicMs: () => 0 })).toBe(seconds);
});

test("nowSeconds follows the clock that it is given", () => {
  const clock = new FakeClock();
  const before = nowSeconds(clock);
  clock.advanceMs(2_000);
  expect(nowSeconds(clock) - before).toBe(2);
});
