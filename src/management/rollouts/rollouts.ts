/**
 * Execution of rollouts: every two seconds finds the next steps, stores them with their audit events, and
 * sends orders to machines.
 *
 * `policy/rollout.ts` and each machine decide; this part does not. Several processes on one database may run
 * it at once: one of them takes each step, and each sends orders to the machines connected to it.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { planRollout, type RolloutPlan } from "../../policy/rollout.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import type { UpgradeOrder, UpgradeReport } from "../../wire/upgrade-report.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { ChangeWriter } from "../db/store.ts";
import { systemInitiator } from "../db/tables/audit-events.ts";
import {
  insertRolloutSteps,
  listRunningRollouts,
  type RolloutRow,
  stepRollout,
  stepRolloutMachine,
} from "../db/tables/rollouts.ts";
import { type NamedMachine, rolloutMachines } from "./rollout-machines.ts";

/** Interval of the check. */
const LOOK_MS = 2_000;

type Context = Pick<ManagementContext, "store" | "clock" | "log">;

/** Machines' control links. */
export interface RolloutLinks {
  isConnected(peerId: PeerId): boolean;
  /** Sends the order, if the machine's link is at this process. */
  order(peerId: PeerId, order: UpgradeOrder): void;
}

/** Runs rollouts. Returns the function that stops. */
export function watchRollouts(context: Context, links: RolloutLinks): () => Promise<void> {
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= lookAtRollouts(context, links)
      .catch((cause: unknown) => context.log.warn("rollouts not looked at", {}, cause))
      .finally(() => {
        running = null;
      });
  }, LOOK_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** Takes the due steps of every rollout. */
export async function lookAtRollouts(context: Context, links: RolloutLinks): Promise<void> {
  const { store, clock } = context;
  for (const rollout of await store.read(listRunningRollouts)) {
    const isConnected = (peerId: PeerId) => links.isConnected(peerId);
    const machines = await store.read((tx) => rolloutMachines(tx, rollout, isConnected));
    const plan = planRollout(rollout, machines, nowSeconds(clock));
    if (changesAnything(rollout, plan)) await carryOut(context, rollout, { plan, machines });
    for (const { peerId, stored, isAllowed } of machines) {
      if (stored?.state !== "ordered" || !isAllowed) continue;
      links.order(peerId, { orderId: stored.orderId, version: rollout.version });
    }
  }
}

/** Stores a machine's report on an order. Ignores orders that are over or were never given to it. */
export async function takeUpgradeReport(
  { store }: Pick<Context, "store">,
  { accountId, peerId, name }: { accountId: AccountId; peerId: PeerId; name: string },
  { orderId, state, detail }: UpgradeReport,
): Promise<void> {
  // Success shows in the version that the machine comes back with.
  const isOver = state === "failed" || state === "refused";
  const initiator = { id: peerId, name, email: "" };
  await store.change({ accountId, initiator }, async (tx) => {
    const change = { state: isOver ? state : ("working" as const), detail };
    const step = await stepRolloutMachine(tx, { peerId, orderId }, change);
    if (step === undefined || !isOver) return;
    tx.record({
      ...{ activity: "peer.upgrade", targetId: peerId },
      meta: { peer: name, rollout: step.rolloutId, outcome: state, detail },
    });
  });
}

function changesAnything(rollout: RolloutRow, plan: RolloutPlan): boolean {
  const { settle, order, advances, end, settledAt = rollout.settledAt } = plan;
  return settle.length + order.length > 0 || advances || end !== null || settledAt !== rollout.settledAt;
}

async function carryOut(
  { store }: Context,
  rollout: RolloutRow,
  { plan, machines }: { readonly plan: RolloutPlan; readonly machines: readonly NamedMachine[] },
): Promise<void> {
  const { id, accountId, version } = rollout;
  const nameOf = new Map(machines.map(({ peerId, name }) => [peerId, name]));
  await store.change({ accountId, initiator: systemInitiator }, async (tx) => {
    const { settledAt = rollout.settledAt, advances, end } = plan;
    const stage = rollout.stage + (advances ? 1 : 0);
    const ended =
      end === null ? {} : { ...end, endedAt: end.state === "finished" ? nowSeconds(tx.clock) : null };
    // It was halted meanwhile, or another process was first.
    if (!(await stepRollout(tx, rollout, { settledAt, stage, ...ended }))) return;
    const told = (peerId: PeerId, outcome: string, detail = "") =>
      tx.record({
        ...{ activity: "peer.upgrade", targetId: peerId },
        meta: { peer: nameOf.get(peerId) ?? "", version, rollout: id, outcome, detail },
      });
    for (const { peerId, state } of plan.settle) {
      const detail = state === "failed" ? `it has not come back with ${version}` : "";
      const step = await stepRolloutMachine(tx, { peerId, rolloutId: id }, { state, detail });
      if (step !== undefined) told(peerId, state, detail);
    }
    const orderedAt = nowSeconds(tx.clock);
    for (const peerId of await insertRolloutSteps(tx, id, { peerIds: plan.order, orderedAt })) {
      told(peerId, "ordered");
    }
    recordSteps(tx, rollout, plan);
  });
}

function recordSteps(tx: ChangeWriter, { id, version, stages, stage }: RolloutRow, plan: RolloutPlan): void {
  if (plan.advances) {
    const percent = String(stages[stage + 1] ?? 100);
    tx.record({ activity: "rollout.stage", targetId: id, meta: { version, percent } });
  }
  if (plan.end === null) return;
  const activity = plan.end.state === "halted" ? "rollout.halt" : "rollout.finish";
  tx.record({ activity, targetId: id, meta: { version, why: plan.end.why } });
}
