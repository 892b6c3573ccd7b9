/**
 * Terms by which machines are filtered, as they stand in the address.
 *
 * @module
 */
import type { Answer } from "../api/client.ts";

type Peer = Answer<"GET /api/peers">[number];

export const MACHINE_FILTERS = ["connected", "offline", "waiting", "blocked", "lost"] as const;
export type MachineFilter = (typeof MACHINE_FILTERS)[number];

export interface MachineTerms {
  /** Words, all of which have to be somewhere in the row. */
  readonly q?: string;
  readonly state?: MachineFilter;
}

/** Without a word for so long. */
export const LOST_MS = 30 * 86_400_000;

/** Those of an address; anything else is left out. */
export function machineTermsOf({ q, state }: Readonly<Record<string, unknown>>): MachineTerms {
  const known = MACHINE_FILTERS.find((one) => one === state);
  return {
    ...(typeof q === "string" && q !== "" ? { q } : {}),
    ...(known === undefined ? {} : { state: known }),
  };
}

/** The state that its badge says. */
export function stateOf(peer: Peer): Exclude<MachineFilter, "lost"> {
  if (peer.blocked === true) return "blocked";
  if (peer.approval_required) return "waiting";
  return peer.connected ? "connected" : "offline";
}

/** Absent: every machine. */
export function isInState(peer: Peer, state: MachineFilter | undefined, nowMs: number): boolean {
  if (state === undefined) return true;
  if (state === "lost") return !peer.connected && Date.parse(peer.last_seen) < nowMs - LOST_MS;
  return stateOf(peer) === state;
}
