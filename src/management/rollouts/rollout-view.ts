/**
 * Rollouts as the REST API returns them.
 *
 * @module
 */
import { compareVersions } from "../../policy/release.ts";
import type { Rollout, RolloutMachine } from "../../wire/rollout.ts";
import type { RolloutRow } from "../db/tables/rollouts.ts";
import type { NamedMachine } from "./rollout-machines.ts";

const isoTime = (seconds: number) => new Date(seconds * 1000).toISOString();

export function rolloutView(row: RolloutRow, machines: readonly NamedMachine[]): Rollout {
  const { id, version, groupId, stages, stage, pauseSeconds, failuresMax, state, why, createdAt, endedAt } =
    row;
  const count = (wanted: (machine: NamedMachine) => boolean) => machines.filter(wanted).length;
  const isLeft = (one: NamedMachine) => one.step === null && compareVersions(one.version, version) < 0;
  return {
    ...{ id, version, group: groupId, stages: [...stages], percent: stages[stage] ?? 100 },
    ...{ pause_seconds: pauseSeconds, failures_max: failuresMax, state, why },
    created_at: isoTime(createdAt),
    ended_at: endedAt === null ? null : isoTime(endedAt),
    machines: {
      ordered: count(({ step }) => step?.state === "ordered"),
      working: count(({ step }) => step?.state === "working"),
      done: count(({ step }) => step?.state === "done"),
      failed: count(({ step }) => step?.state === "failed"),
      refused: count(({ step }) => step?.state === "refused"),
      waiting: count((one) => isLeft(one) && one.isAllowed),
      not_allowed: count((one) => isLeft(one) && !one.isAllowed),
    },
  };
}

/** The machines that have an order. */
export function rolloutMachineViews(machines: readonly NamedMachine[]): RolloutMachine[] {
  return machines.flatMap(({ peerId, name, version, stored }) =>
    stored === null
      ? []
      : [
          {
            ...{ peer_id: peerId, name, version, state: stored.state, detail: stored.detail },
            ordered_at: isoTime(stored.orderedAt),
          },
        ],
  );
}
