/**
 * Semaphore with a bounded, timed queue. It limits how many callers do something costly at once; others wait
 * in order of arrival. A caller that finds the queue full, or waits too long, is turned away.
 *
 * Callers name a key (a peer, an address), and one key gets at most half of the places, so that a client that
 * is slow on purpose cannot hold up the others.
 *
 * @module
 */
import { createKeyedCounter } from "../contracts/keyed-counter.ts";

export interface KeyedSemaphoreBounds {
  /** Inside at once; at most half of them under one key. */
  readonly inMax: number;
  /** Waiting at once; at most half of them under one key. */
  readonly waitingMax: number;
  /** Longest wait, in milliseconds. */
  readonly waitMsMax: number;
}

export interface KeyedSemaphore {
  /**
   * Resolves with a function that frees the place; calling it twice does no harm. Null: turned away. Never
   * rejects.
   */
  enter(key: string): Promise<(() => void) | null>;
  readonly inside: number;
  /** The most callers that were ever inside at once. */
  readonly peak: number;
  /** Turns away all waiting and future callers. */
  close(): void;
}

type Leave = () => void;

interface Waiter {
  readonly key: string;
  done(leave: Leave | null): void;
}

export function createKeyedSemaphore({ inMax, waitingMax, waitMsMax }: KeyedSemaphoreBounds): KeyedSemaphore {
  const inside = createKeyedCounter(inMax, Math.ceil(inMax / 2));
  const waiting = createKeyedCounter(waitingMax, Math.ceil(waitingMax / 2));
  /** In order of arrival. */
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
