import { expect, test } from "bun:test";
import { Behind, type BehindOptions } from "../../../src/agent/recording/behind.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const LIMITS = { bytesMax: 1_000, heldAfterMs: 5_000, failedAfterMs: 30_000 };

function aBehind(change: Partial<BehindOptions> = {}): Behind {
  return new Behind({
    clock: new FakeClock(),
    limits: LIMITS,
    mayWait: () => false,
    isAway: () => false,
    ...change,
  });
}

async function isSettled(promise: Promise<void> | null): Promise<boolean> {
  if (promise === null) return true;
  return await Promise.race([promise.then(() => true), Promise.resolve().then(() => false)]);
}

test("output is held beyond so many bytes, until management has some of them", async () => {
  const behind = aBehind();
  behind.add(0, 600, 0);
  expect(behind.hold()).toBeNull();
  behind.add(1, 600, 0);
  const held = behind.hold();
  expect(await isSettled(held)).toBe(false);
  behind.stored(1);
  expect(await isSettled(held)).toBe(true);
});

test("what is being encrypted counts as not stored", async () => {
  const behind = aBehind();
  behind.add(0, 600, 0);
  behind.sealing(600);
  const held = behind.hold();
  expect(await isSettled(held)).toBe(false);
  behind.sealing(-600);
  expect(await isSettled(held)).toBe(true);
});

test("output is held beyond 5 s, and the recording has failed beyond 30 s", () => {
  const clock = new FakeClock();
  const behind = aBehind({ clock });
  behind.add(0, 1, clock.monotonicMs());
  clock.advanceMs(5_000);
  expect(behind.hold()).toBeNull();
  clock.advanceMs(1);
  expect(behind.hold()).not.toBeNull();
  clock.advanceMs(24_999);
  expect(behind.isTooFar).toBe(false);
  clock.advanceMs(1);
  expect(behind.isTooFar).toBe(true);
});

test("what need not keep up is held only while memory is short", async () => {
  const clock = new FakeClock();
  const behind = aBehind({ clock, limits: null });
  behind.add(0, 1_000_000_000, 0);
  clock.advanceMs(1_000_000);
  expect(behind.hold()).toBeNull();
  expect(behind.isTooFar).toBe(false);
  behind.sealing(9_000_000);
  const held = behind.hold();
  expect(held).not.toBeNull();
  behind.sealing(-9_000_000);
  expect(await isSettled(held)).toBe(true);
});

test("nobody waits for what is over", async () => {
  const behind = aBehind();
  behind.add(0, 2_000, 0);
  const held = behind.hold();
  behind.end();
  expect(await isSettled(held)).toBe(true);
  expect(behind.hold()).toBeNull();
});

test("what may wait for management is held only while management takes it, and has never failed", async () => {
  const clock = new FakeClock();
  let [mayWait, isAway] = [true, false];
  const behind = aBehind({ clock, mayWait: () => mayWait, isAway: () => isAway });
  behind.add(0, 2_000, 0);
  const held = behind.hold();
  expect(await isSettled(held)).toBe(false);
  isAway = true;
  behind.look();
  expect(await isSettled(held)).toBe(true);
  clock.advanceMs(3_600_000);
  expect([behind.hold(), behind.isTooFar]).toEqual([null, false]);
  mayWait = false;
  expect([behind.hold() === null, behind.isTooFar]).toEqual([false, true]);
});
