/**
 * Counts machines by state.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";
import { stateOf } from "../../terms/machine-terms.ts";

type Peer = Answer<"GET /api/peers">[number];

export const MACHINE_STATES = ["connected", "offline", "waiting", "blocked"] as const;
export type MachineStateName = (typeof MACHINE_STATES)[number];

export function countStates(peers: readonly Peer[]): ReadonlyMap<MachineStateName, number> {
  const counts = new Map<MachineStateName, number>(MACHINE_STATES.map((state) => [state, 0]));
  for (const peer of peers) {
    if (peer.kind !== "machine") continue;
    const state = stateOf(peer);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
}
