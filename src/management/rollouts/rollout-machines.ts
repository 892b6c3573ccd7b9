/**
 * The current machines of a rollout: the input of `policy/rollout.ts`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { RolloutMachine } from "../../policy/rollout.ts";
import type { PeerId } from "../../wire/units.ts";
import type { Reader } from "../db/engine/transaction.ts";
import { findAllGroup, listMemberships } from "../db/tables/groups.ts";
import {
  listRolloutSteps,
  listUpgradable,
  type RolloutRow,
  type RolloutStepRow,
} from "../db/tables/rollouts.ts";

/** A rollout's machine with its name and stored order. */
export interface NamedMachine extends RolloutMachine {
  readonly name: string;
  readonly stored: RolloutStepRow | null;
}

/** The machines of the rollout's group, in an order that differs per rollout: none is always first. */
export async function rolloutMachines(
  tx: Reader,
  rollout: Pick<RolloutRow, "id" | "accountId" | "groupId">,
  isConnected: (peerId: PeerId) => boolean,
): Promise<NamedMachine[]> {
  const members = await membersOf(tx, rollout);
  const steps = new Map((await listRolloutSteps(tx, rollout.id)).map((step) => [step.peerId, step]));
  const machines = await listUpgradable(tx, rollout.accountId);
  return machines
    .filter(({ id }) => members === "all" || members.has(id))
    .map(({ id, name, facts, flags }) => ({
      ...{ peerId: id, name, version: facts.version, isConnected: isConnected(id) },
      isAllowed: flags?.managedUpgrades === true,
      ...{ step: steps.get(id) ?? null, stored: steps.get(id) ?? null },
      turn: createHash("sha256").update(`${rollout.id} ${id}`).digest("hex"),
    }))
    .sort((a, b) => (a.turn < b.turn ? -1 : 1));
}

async function membersOf(
  tx: Reader,
  { accountId, groupId }: Pick<RolloutRow, "accountId" | "groupId">,
): Promise<ReadonlySet<PeerId> | "all"> {
  if (groupId === null || (await findAllGroup(tx, accountId))?.id === groupId) return "all";
  const memberships = await listMemberships(tx, accountId);
  return new Set(memberships.filter((one) => one.groupId === groupId).map(({ peerId }) => peerId));
}
