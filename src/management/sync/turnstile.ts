/**
 * How many may be in the middle of something costly at once; the others wait their turn, and those for whom
 * there is no room left to wait, or whose turn does not come in time, are told to come back later.
 *
 * Who comes says for whom, and nobody gets all of the room: whoever is slow on purpose holds up no others.
 *
 * @module
 */
import { createHeadcount } from "./headcount.ts";

export interface AdmissionBounds {
  /** At once; half of them for one at most. */
  readonly inMax: number;
  /** Waiting; half of them for one at most. */
  readonly waitingMax: number;
  /** Longest wait, in milliseconds. */
  readonly waitMsMax: number;
}

export interface Admission {
  /** For whom `key` stands. Resolves with how to leave, to be called once or more, or with null: come back later. */
  enter(key: string): Promise<(() => void) | null>;
  readonly inside: number;
  /** The most that were ever inside at once. */
  readonly peak: number;
  /** Nobody waits any more; who still comes is turned away. */
  close(): void;
}

type Leave = () => void;

interface Waiter {
  readonly key: string;
  done(leave: Leave | null): void;
}

export function createAdmission({ inMax, waitingMax, waitMsMax }: AdmissionBounds): Admission {
  const inside = createHeadcount(inMax, Math.ceil(inMax / 2));
  const waiting = createHeadcount(waitingMax, Math.ceil(waitingMax / 2));
  /** In order of coming. */
  const waiters = new Set<Waiter>();
  let peak = 0;
  let isClosed = false;
  const admit = (key: string): Leave => {
    inside.enter(key);
    peak = Math.max(peak, inside.total);
    let isOut = false;
    return () => {
      if (isOut) return;
      isOut = true;
      inside.leave(key);
      const next = firstThatFits();
      if (next !== undefined) next.done(admit(next.key));
    };
  };
  const firstThatFits = (): Waiter | undefined => {
    for (const waiter of waiters) if (!inside.isFull(waiter.key)) return waiter;
    return undefined;
  };
  return {
    enter: (key) => {
      if (isClosed) return Promise.resolve(null);
      if (!inside.isFull(key)) return Promise.resolve(admit(key));
      if (waiting.isFull(key)) return Promise.resolve(null);
      return new Promise((resolve) => {
        const waiter: Waiter = {
          key,
          done(leave) {
            clearTimeout(timer);
            waiters.delete(waiter);
            waiting.leave(key);
            resolve(leave);
          },
        };
        const timer = setTimeout(() => waiter.done(null), waitMsMax);
        waiting.enter(key);
        waiters.add(waiter);
      });
    },
    get inside() {
      return inside.total;
    },
    get peak() {
      return peak;
    },
    close() {
      isClosed = true;
      for (const waiter of waiters) waiter.done(null);
    },
  };
}
