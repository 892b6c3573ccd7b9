/**
 * Requirements of every grant at a machine, before and after a change: of the account and of its groups.
 *
 * @module
 */
import type { MapSettings } from "../../wire/network-map.ts";
import type { Floor } from "../decide/obligations.ts";
import { type AccountPeer, settingsFor } from "../maps/compile.ts";

/** The requirements at machines, on both sides of a comparison. */
export interface MachineFloors {
  /** False: no machine has other requirements after the change. */
  readonly mayDiffer: boolean;
  /** The machine as it is after the change. */
  afterOf(machine: AccountPeer): AccountPeer;
  /** A key of what is required at `machine`: equal keys, equal requirements. */
  keyOf(machine: AccountPeer): string;
}

/** The requirements of a comparison. */
export function floorsOf({
  settings,
  peers,
  peersAfter = peers,
}: {
  readonly settings: MapSettings;
  readonly peers: readonly AccountPeer[];
  readonly peersAfter?: readonly AccountPeer[] | undefined;
}): MachineFloors {
  const unchanged = keyOfFloor(settings.require);
  const after = new Map(peersAfter === peers ? [] : peersAfter.map(({ id, require }) => [id, require]));
  return {
    mayDiffer: peers.some(({ id, require }) => after.has(id) && !isSameFloor(require, after.get(id))),
    afterOf: (machine) => (after.has(machine.id) ? { ...machine, require: after.get(machine.id) } : machine),
    keyOf: (machine) =>
      machine.require === undefined ? unchanged : keyOfFloor(settingsFor(settings, machine).require),
  };
}

function isSameFloor(a: Floor | undefined, b: Floor | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return keyOfFloor(a) === keyOfFloor(b);
}

function keyOfFloor({ record, reason, approval, reauthWithinSeconds }: Floor): string {
  return [record, Number(reason), Number(approval), reauthWithinSeconds ?? ""].join("/");
}
