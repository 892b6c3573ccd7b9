import { expect, test } from "bun:test";
import { createSourceLimits } from "../../src/fabric/source-limits.ts";
import { FakeClock } from "../support/fake-clock.ts";

const clock = new FakeClock();
const enterTimes = (limits: ReturnType<typeof createSourceLimits>, address: string, times: number): number =>
  Array.from({ length: times }, () => limits.enter(address)).filter(Boolean).length;

test("a source has so many unproven connections, another has its own", () => {
  const limits = createSourceLimits(clock, { perSourceMax: 2 });
  expect(enterTimes(limits, "192.0.2.1", 3)).toBe(2);
  expect(enterTimes(limits, "192.0.2.2", 1)).toBe(1);
  limits.leave("192.0.2.1", true);
  expect(enterTimes(limits, "192.0.2.1", 2)).toBe(1);
});

test("all addresses of an IPv6 /64 are one source, and a /56 has twice as much", () => {
  const limits = createSourceLimits(clock, { perSourceMax: 2 });
  expect(enterTimes(limits, "2001:db8:0:1::1", 1) + enterTimes(limits, "2001:db8:0:1::2", 2)).toBe(2);
  expect(enterTimes(limits, "2001:db8:0:2::1", 2)).toBe(2); // The /56 is full with that.
  expect(enterTimes(limits, "2001:db8:0:3::1", 1)).toBe(0);
  expect(enterTimes(limits, "2001:db8:0:100::1", 1)).toBe(1);
});

test("all sources together have so many", () => {
  const limits = createSourceLimits(clock, { totalMax: 3 });
  const entered = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"].map((address) =>
    limits.enter(address),
  );
  expect(entered).toEqual([true, true, true, false]);
});

test("a source that fails too often pauses for the window, and no other does", () => {
  const limits = createSourceLimits(clock, { failuresMax: 2, windowMs: 1_000 });
  for (let i = 0; i < 2; i++) {
    expect(limits.enter("192.0.2.1")).toBe(true);
    limits.leave("192.0.2.1", false);
  }
  expect(limits.enter("192.0.2.1")).toBe(false);
  expect(limits.enter("192.0.2.2")).toBe(true);
  clock.advanceMs(999);
  expect(limits.enter("192.0.2.1")).toBe(false);
  clock.advanceMs(1);
  expect(limits.enter("192.0.2.1")).toBe(true);
});

test("a proven connection forgives the failures of its source", () => {
  const limits = createSourceLimits(clock, { failuresMax: 2 });
  for (const isProven of [false, true, false]) {
    limits.enter("192.0.2.1");
    limits.leave("192.0.2.1", isProven);
  }
  expect(limits.enter("192.0.2.1")).toBe(true);
});

test("a full table forgets sources without connections, and keeps counting the others", () => {
  const limits = createSourceLimits(clock, { sourcesMax: 2, failuresMax: 1, perSourceMax: 1 });
  limits.enter("192.0.2.1");
  limits.leave("192.0.2.1", false); // Failed, and has nothing open.
  limits.enter("192.0.2.2");
  expect(limits.enter("192.0.2.3")).toBe(true);
  expect(limits.enter("192.0.2.1")).toBe(true); // Its failure was forgotten.
  expect(limits.enter("192.0.2.2")).toBe(false); // Its connection was not.
});
