/**
 * Filter terms for machines, in the address.
 *
 * @module
 */
import type { Answer } from "../api/client.ts";

type Peer = Answer<"GET /api/peers">[number];

export const MACHINE_FILTERS = ["connected", "offline", "waiting", "blocked", "lost"] as const;
export type MachineFilter = (typeof MACHINE_FILTERS)[number];

export interface MachineTerms {
  /** Words that must all occur in the row. */
  readonly q?: string;
  readonly state?: MachineFilter;
  /** See `sort-term.ts`. */
  readonly sort?: string;
}

/** How long a machine must have been silent to count as lost. */
export const LOST_MS = 30 * 86_400_000;

/** Reads the terms in an address and ignores anything else. */
export function machineTermsOf({ q, state, sort }: Readonly<Record<string, unknown>>): MachineTerms {
  const known = MACHINE_FILTERS.find((one) => one === state);
  return {
    ...(typeof q === "string" && q !== "" ? { q } : {}),
    ...(known === undefined ? {} : { state: known }),
    ...(typeof sort === "string" && sort !== "" ? { sort } : {}),
  };
}

/** The state on the machine's badge. */
export function stateOf(peer: Peer): Exclude<MachineFilter, "lost"> {
  if (peer.blocked === true) return "blocked";
  if (peer.approval_required) return "waiting";
  return peer.connected ? "connected" : "offline";
}

/** Whether a machine is in `state`. Absent: every machine is. */
export function isInState(peer: Peer, state: MachineFilter | undefined, nowMs: number): boolean {
  if (state === undefined) return true;
  if (state === "lost") return !peer.connected && Date.parse(peer.last_seen) < nowMs - LOST_MS;
  return stateOf(peer) === state;
}
