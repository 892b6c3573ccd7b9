/**
 * Words for rollouts: how far one has come, and parsing of what is typed to start one.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";
import type { Tone } from "../../components/badge.tsx";
import { lengthText } from "../../components/durations.ts";

export type Rollout = Answer<"GET /api/rollouts">[number];
export type RolloutMachine = Answer<"GET /api/rollouts/:rolloutId/machines">[number];

export const ROLLOUT_TONES: Readonly<Record<Rollout["state"], Tone>> = {
  running: "accent",
  halted: "warn",
  cancelled: "plain",
  finished: "good",
};

export const STEP_TONES: Readonly<Record<RolloutMachine["state"], Tone>> = {
  ordered: "plain",
  working: "accent",
  done: "good",
  failed: "bad",
  refused: "warn",
};

export const STEP_WORDS: Readonly<Record<RolloutMachine["state"], string>> = {
  ordered: "told",
  working: "upgrading",
  done: "done",
  failed: "failed",
  refused: "refused",
};

/** Whether the rollout can still be halted, resumed or ended. */
export function isOpen({ state }: Rollout): boolean {
  return state === "running" || state === "halted";
}

/** Such as `stage 2 of 3: 50 %`. */
export function stageText({ stages, percent }: Rollout): string {
  return `stage ${stages.indexOf(percent) + 1} of ${stages.length}: ${percent} %`;
}

/** Number of machines that take part, including those whose turn comes later. */
export function partOf({ machines }: Rollout): number {
  const { ordered, working, done, failed, refused, waiting } = machines;
  return ordered + working + done + failed + refused + waiting;
}

/** Such as `10 %, 50 %, 100 %; 10 minutes between`. */
export function stagesText({ stages, pause_seconds }: Rollout): string {
  const all = stages.map((one) => `${one} %`).join(", ");
  if (stages.length === 1) return all;
  return pause_seconds === 0 ? `${all}; no pause between` : `${all}; ${lengthText(pause_seconds)} between`;
}

/** Parses stages such as `10, 50, 100`. Null unless they are at most 10 whole numbers that ascend to 100. */
export function stagesOf(typed: string): number[] | null {
  const words = typed.split(/[\s,%]+/).filter((word) => word !== "");
  const stages = words.map(Number);
  const ascend = stages.every((one, i) => Number.isInteger(one) && one > (stages[i - 1] ?? 0));
  return ascend && stages.at(-1) === 100 && stages.length <= 10 ? stages : null;
}

/** Parses how many machines may fail. Null unless it is a whole number from 0 to 1000. */
export function failuresOf(typed: string): number | null {
  return /^\d{1,4}$/.test(typed.trim()) && Number(typed) <= 1_000 ? Number(typed) : null;
}
