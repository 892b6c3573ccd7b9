/**
 * Turns for costly work: a few at a time, first come, first served, with a bounded queue.
 *
 * @module
 */

export interface Turns {
  /** "busy" when the queue is full. */
  run<T>(work: () => Promise<T>): Promise<T | "busy">;
  isIdle(): boolean;
}

/** Runs `concurrentMax` at a time while at most `waitingMax` wait. */
export function createTurns(concurrentMax: number, waitingMax: number): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    async run(work) {
      if (running >= concurrentMax) {
        if (waiting.length >= waitingMax) return "busy";
        // A finished run passes its place on directly, so that no one gets in between.
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else running += 1;
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
    isIdle: () => running === 0 && waiting.length === 0,
  };
}
