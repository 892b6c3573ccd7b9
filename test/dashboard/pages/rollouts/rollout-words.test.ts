import { expect, test } from "bun:test";
import {
  failuresOf,
  isOpen,
  partOf,
  type Rollout,
  stagesOf,
  stagesText,
  stageText,
} from "../../../../src/dashboard/pages/rollouts/rollout-words.ts";

const rollout: Rollout = {
  ...{ id: "r", version: "1.2.3", group: null, stages: [10, 50, 100], percent: 50, pause_seconds: 600 },
  ...{ failures_max: 0, state: "running", why: "", created_at: "2026-11-30T08:00:00.000Z", ended_at: null },
  machines: { ordered: 1, working: 2, done: 3, failed: 4, refused: 5, waiting: 6, not_allowed: 7 },
};

test("the stage is told by its place and its share", () => {
  expect(stageText(rollout)).toBe("stage 2 of 3: 50 %");
});

test("machines that root keeps out take no part", () => {
  expect(partOf(rollout)).toBe(21);
});

test.each<[Partial<Rollout>, string]>([
  [{}, "10 %, 50 %, 100 %; 10 minutes between"],
  [{ pause_seconds: 0 }, "10 %, 50 %, 100 %; no pause between"],
  [{ stages: [100] }, "100 %"],
])("stages of %j are %s", (change, want) => {
  expect(stagesText({ ...rollout, ...change })).toBe(want);
});

test.each<[Rollout["state"], boolean]>([
  ["running", true],
  ["halted", true],
  ["cancelled", false],
  ["finished", false],
])("one that is %s is open: %s", (state, want) => {
  expect(isOpen({ ...rollout, state })).toBe(want);
});

test.each<[string, number[] | null]>([
  ["10, 50, 100", [10, 50, 100]],
  [" 1% 10% 100% ", [1, 10, 100]],
  ["100", [100]],
  ["10, 50", null],
  ["50, 10, 100", null],
  ["50, 50, 100", null],
  ["0, 100", null],
  ["1.5, 100", null],
  ["10, 50, 101", null],
  ["ten, 100", null],
  ["", null],
  ["1 2 3 4 5 6 7 8 9 10 100", null],
])("%j typed as stages is %j", (typed, want) => {
  expect(stagesOf(typed)).toEqual(want);
});

test.each<[string, number | null]>([
  ["0", 0],
  [" 12 ", 12],
  ["1000", 1_000],
  ["1001", null],
  ["-1", null],
  ["", null],
  ["1e2", null],
])("%j typed as failures is %j", (typed, want) => {
  expect(failuresOf(typed)).toBe(want);
});
