/**
 * Liveness of the processes on the database, by their heartbeats as this process sees them advance. No two
 * clocks are compared.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";

/** A process whose beat stands still for this long has no agents any more. */
const LEASE_MS = 5_000;
/** After this its row and its links are removed. It makes them again should it live. */
const FORGET_MS = 60_000;

export interface SeenProcesses {
  /** Its beat as it stands now. True: it has stood still for so long that it is to be forgotten. */
  beat(id: string, beat: number): boolean;
  /** Somebody speaks of it: it counts as alive until its beat says more. */
  mention(id: string): void;
  drop(id: string): void;
  /** Whether it has been heard of and its lease has not run out. */
  isAlive(id: string): boolean;
  /** Whether it has been heard of and its lease has run out. */
  isDead(id: string): boolean;
}

export function createSeenProcesses(clock: Pick<Clock, "monotonicMs">): SeenProcesses {
  /** `changedAtMs` by our own monotonic clock. */
  const processes = new Map<string, { readonly beat: number; readonly changedAtMs: number }>();
  const note = (id: string, beat: number): void => {
    processes.set(id, { beat, changedAtMs: clock.monotonicMs() });
  };
  const isAlive = (id: string): boolean => {
    const seen = processes.get(id);
    return seen !== undefined && clock.monotonicMs() - seen.changedAtMs < LEASE_MS;
  };
  return {
    beat(id, beat) {
      const seen = processes.get(id);
      if (seen !== undefined && seen.beat === beat) return clock.monotonicMs() - seen.changedAtMs > FORGET_MS;
      note(id, beat);
      return false;
    },
    mention(id) {
      if (!processes.has(id)) note(id, 0);
    },
    drop: (id) => void processes.delete(id),
    isAlive,
    isDead: (id) => processes.has(id) && !isAlive(id),
  };
}
