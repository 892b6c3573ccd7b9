import { expect, test } from "bun:test";
import { createCloneWatch } from "../../../src/management/sync/clone-watch.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const MINUTE_MS = 60_000;

test("an agent that starts again is no clone, however often", () => {
  const watch = createCloneWatch(new FakeClock());
  expect(["b", "c", "d"].map((boot, i) => watch.superseded("p", ["a", "b", "c"][i] ?? "", boot))).toEqual([
    false,
    false,
    false,
  ]);
});

test("a boot id that was superseded and comes back is one of two agents, said once for as long as they take turns", () => {
  const clock = new FakeClock();
  const watch = createCloneWatch(clock);
  expect(watch.superseded("p", "a", "b")).toBe(false);
  expect(watch.superseded("p", "b", "a")).toBe(true);
  expect(watch.superseded("p", "a", "b")).toBe(false);
  for (let turn = 0; turn < 100; turn++) {
    clock.advanceMs(10 * MINUTE_MS);
    expect(watch.superseded("p", "b", "a")).toBe(false);
    expect(watch.superseded("p", "a", "b")).toBe(false);
  }
  clock.advanceMs(10 * MINUTE_MS + 1);
  expect(watch.superseded("p", "b", "a")).toBe(false);
  expect(watch.superseded("p", "a", "b")).toBe(true);
});

test("one that comes back after more than ten minutes is not told of", () => {
  const clock = new FakeClock();
  const watch = createCloneWatch(clock);
  watch.superseded("p", "a", "b");
  clock.advanceMs(10 * MINUTE_MS + 1);
  expect(watch.superseded("p", "b", "a")).toBe(false);
});

test("each peer has its own boots, and the latest eight of them", () => {
  const watch = createCloneWatch(new FakeClock());
  watch.superseded("p", "a", "b");
  expect(watch.superseded("q", "b", "a")).toBe(false);
  for (let i = 0; i < 8; i++) watch.superseded("p", `x${i}`, `x${i + 1}`);
  expect(watch.superseded("p", "x8", "a")).toBe(false);
  expect(watch.superseded("p", "a", "x8")).toBe(true);
});
