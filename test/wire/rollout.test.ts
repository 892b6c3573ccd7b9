import { expect, test } from "bun:test";
import { RolloutWrite } from "../../src/wire/rollout.ts";

test.each<[string, unknown, boolean]>([
  ["nothing: all has its default", {}, true],
  ["all at once", { stages: [100] }, true],
  ["stages that ascend", { stages: [1, 2, 100] }, true],
  ["a stage twice", { stages: [50, 50, 100] }, false],
  ["stages that end before all", { stages: [99] }, false],
  ["a stage of nobody", { stages: [0, 100] }, false],
  ["more than all", { stages: [100, 101] }, false],
  ["part of a machine", { stages: [0.5, 100] }, false],
  ["a pause of more than a week", { pause_seconds: 604_801 }, false],
  ["a version that is none", { version: "latest" }, false],
])("%s", (_what, body, isTaken) => {
  expect(RolloutWrite.safeParse(body).success).toBe(isTaken);
});
