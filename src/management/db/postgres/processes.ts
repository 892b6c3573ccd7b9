/**
 * Liveness of the processes on the database, judged by when this process saw their heartbeats advance, so
 * that no two clocks are compared.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";

/** A process whose beat stands still for this long counts as dead. */
const LEASE_MS = 5_000;
/** After this long its row and links are removed. A process that lives after all writes them again. */
const FORGET_MS = 60_000;

export interface SeenProcesses {
  /** Notes the process's current beat. True: it has stood still for `FORGET_MS`, so remove the process. */
  beat(id: string, beat: number): boolean;
  /** Notes a process that another row names. A new one counts as alive for one lease. */
  mention(id: string): void;
  drop(id: string): void;
  /** Whether the process is known and its lease has not run out. */
  isAlive(id: string): boolean;
  /** Whether the process is known and its lease has run out. */
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
