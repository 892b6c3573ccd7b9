/**
 * Rollouts in the REST API: management upgrades an account's machines to a release in stages.
 *
 * @module
 */
import { z } from "zod";
import { ReleaseVersion } from "./release.ts";
import { Id } from "./units.ts";

/** States of a rollout. Only `running` orders anything; `halted` waits to be resumed. */
export const ROLLOUT_STATES = ["running", "halted", "cancelled", "finished"] as const;
/** States of one machine's part. */
export const ROLLOUT_STEP_STATES = ["ordered", "working", "done", "failed", "refused"] as const;

const STAGES_MAX = 10;
const PAUSE_SECONDS_MAX = 7 * 86_400;

/** What a rollout is to be. */
export const RolloutWrite = z.object({
  /** Absent: the newest that the server has. */
  version: ReleaseVersion.optional(),
  /** Machines of this group only. Absent: all machines. */
  group: Id.optional(),
  /** Percentages of the machines, ascending; the last is 100. */
  stages: z
    .array(z.int().min(1).max(100))
    .min(1)
    .max(STAGES_MAX)
    .refine((all) => all.every((one, i) => i === 0 || one > (all[i - 1] ?? 0)), "must ascend")
    .refine((all) => all.at(-1) === 100, "must end with 100")
    .default([10, 50, 100]),
  /** How long the machines of a stage are watched before the next. */
  pause_seconds: z.int().min(0).max(PAUSE_SECONDS_MAX).default(600),
  /** Machines that may fail before it halts. */
  failures_max: z.int().min(0).max(1_000).default(0),
});
export type RolloutWrite = z.infer<typeof RolloutWrite>;

/** A rollout, and how far it has come. */
export const Rollout = z.object({
  id: Id,
  version: ReleaseVersion,
  /** Null: all machines. */
  group: Id.nullable(),
  stages: z.array(z.int()),
  /** Percentage of the stage that it is in. */
  percent: z.int(),
  pause_seconds: z.int(),
  failures_max: z.int(),
  state: z.enum(ROLLOUT_STATES),
  /** Why it halted or ended. Empty: nothing is to be said. */
  why: z.string(),
  created_at: z.iso.datetime(),
  /** Null: it goes on, or may. */
  ended_at: z.iso.datetime().nullable(),
  /** Machines by what became of them. */
  machines: z.object({
    ordered: z.int(),
    working: z.int(),
    done: z.int(),
    failed: z.int(),
    refused: z.int(),
    /** Have their turn later, or are not here. */
    waiting: z.int(),
    /** Older, and root does not allow upgrades from here. */
    not_allowed: z.int(),
  }),
});
export type Rollout = z.infer<typeof Rollout>;

/** A machine that was told to take the release. */
export const RolloutMachine = z.object({
  peer_id: Id,
  name: z.string(),
  /** That its agent reports. */
  version: z.string(),
  state: z.enum(ROLLOUT_STEP_STATES),
  /** Why it failed or was refused. Empty: nothing is to be said. */
  detail: z.string(),
  ordered_at: z.iso.datetime(),
});
export type RolloutMachine = z.infer<typeof RolloutMachine>;
