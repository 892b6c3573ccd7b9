/**
 * Decisions about a rollout: which machines of an account take a release next, and when it stops.
 *
 * A machine's own `qf` decides whether it takes the release at all (`policy/release.ts`). Pure; read
 * `planRollout`.
 *
 * @module
 */
import type { PeerId } from "../wire/units.ts";
import { compareVersions } from "./release.ts";

/** Machines that take the release at the same time, at most: so many can fail before it stops. */
const AT_ONCE_MAX = 32;
/** How long a machine may take to come back with the release: a large download over a slow link. */
export const RETURN_SECONDS_MAX = 2_700;
/** How long, once a stage is over, its machines may be away before that counts: a restart of management. */
const AWAY_SECONDS_MAX = 600;
/** A rollout that machines are still missing from after this is over. */
const ROLLOUT_SECONDS_MAX = 14 * 86_400;

/** What is asked of a rollout. */
export interface RolloutTerms {
  readonly version: string;
  /** Percentages, ascending; the last is 100. */
  readonly stages: readonly number[];
  /** Index of the stage that it is in. */
  readonly stage: number;
  /** When the last machine of the stage came back. Null: the stage goes on. */
  readonly settledAt: number | null;
  /** How long a stage is watched before the next. */
  readonly pauseSeconds: number;
  /** Machines that may fail before it stops. */
  readonly failuresMax: number;
  readonly createdAt: number;
}

/** `refused`: root of the machine does not want it, which is no failure. */
export type StepState = "ordered" | "working" | "done" | "failed" | "refused";

/** A machine of the account, as it is now. */
export interface RolloutMachine {
  readonly peerId: PeerId;
  /** That its agent runs. */
  readonly version: string;
  readonly isConnected: boolean;
  /** Root allows upgrades from here. */
  readonly isAllowed: boolean;
  /** Null: it was not told to. */
  readonly step: { readonly state: StepState; readonly orderedAt: number } | null;
}

/** Everything that is to be done now. */
export interface RolloutPlan {
  readonly settle: readonly { readonly peerId: PeerId; readonly state: "done" | "failed" }[];
  readonly order: readonly PeerId[];
  /** Absent: as it is. */
  readonly settledAt?: number | null;
  /** Goes on to the next stage. */
  readonly advances: boolean;
  readonly end: { readonly state: "halted" | "finished"; readonly why: string } | null;
}

/** Plans what is to be done now. `machines` in the order in which they are to be taken. */
export function planRollout(
  terms: RolloutTerms,
  machines: readonly RolloutMachine[],
  now: number,
): RolloutPlan {
  const settle = machines.flatMap((machine) => settled(terms, machine, now) ?? []);
  const newState = new Map(settle.map(({ peerId, state }) => [peerId, state]));
  const stateOf = ({ peerId, step }: RolloutMachine) => newState.get(peerId) ?? step?.state ?? null;
  const nothing = { settle, order: [], advances: false, end: null };
  const failed = machines.filter((machine) => stateOf(machine) === "failed").length;
  if (failed > terms.failuresMax) {
    return { ...nothing, end: { state: "halted", why: `machines that failed: ${failed}` } };
  }
  const isOlder = ({ version }: RolloutMachine) => compareVersions(version, terms.version) < 0;
  const open = machines.filter((one) => one.isAllowed && stateOf(one) === null && isOlder(one));
  const candidates = open.filter(({ isConnected }) => isConnected);
  const started = machines.filter((machine) => stateOf(machine) !== null).length;
  const working = machines.filter((machine) => isWorking(stateOf(machine))).length;
  const quota = Math.ceil(((started + candidates.length) * (terms.stages[terms.stage] ?? 100)) / 100);
  const room = Math.max(0, Math.min(quota - started, AT_ONCE_MAX - working));
  const order = candidates.slice(0, room).map(({ peerId }) => peerId);
  if (order.length > 0) return { ...nothing, order, settledAt: null };
  if (working > 0) return nothing;
  if (open.length === 0) return { ...nothing, ...afterPause(terms, machines, now, stateOf, "finished") };
  if (now - terms.createdAt > ROLLOUT_SECONDS_MAX) {
    return { ...nothing, end: { state: "finished", why: `machines that never came: ${open.length}` } };
  }
  // Nobody is here to try it on, or all who are here have it and the others are waited for.
  if (started === 0 && open.length > 0) return nothing;
  if (terms.stage === terms.stages.length - 1) return nothing;
  return { ...nothing, ...afterPause(terms, machines, now, stateOf, "advances") };
}

const isWorking = (state: StepState | null) => state === "ordered" || state === "working";

/** Null: nothing is known of it yet. */
function settled(terms: RolloutTerms, { peerId, version, isConnected, step }: RolloutMachine, now: number) {
  if (step === null || !isWorking(step.state)) return null;
  if (isConnected && compareVersions(version, terms.version) >= 0) return { peerId, state: "done" as const };
  return now - step.orderedAt > RETURN_SECONDS_MAX ? { peerId, state: "failed" as const } : null;
}

/** What follows once every machine of the stage has come back: a pause, and a look whether they are here. */
function afterPause(
  { settledAt, pauseSeconds, failuresMax }: RolloutTerms,
  machines: readonly RolloutMachine[],
  now: number,
  stateOf: (machine: RolloutMachine) => StepState | null,
  then: "advances" | "finished",
): Partial<RolloutPlan> {
  if (settledAt === null) return { settledAt: now };
  if (now - settledAt < pauseSeconds) return {};
  const away = machines.filter((machine) => stateOf(machine) === "done" && !machine.isConnected).length;
  const failed = machines.filter((machine) => stateOf(machine) === "failed").length;
  if (away + failed > failuresMax) {
    if (now - settledAt < pauseSeconds + AWAY_SECONDS_MAX) return {};
    return { end: { state: "halted", why: `machines that have gone since: ${away}` } };
  }
  return then === "advances" ? { advances: true, settledAt: null } : { end: { state: "finished", why: "" } };
}
