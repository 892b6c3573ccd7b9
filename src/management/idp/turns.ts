/**
 * Turns for work that costs much: a few at a time, first come first served, and a bounded line.
 *
 * @module
 */

export interface Turns {
  /** "busy" when too many wait already. */
  run<T>(work: () => Promise<T>): Promise<T | "busy">;
  isIdle(): boolean;
}

/** Runs `concurrentMax` at a time while `waitingMax` wait. */
export function createTurns(concurrentMax: number, waitingMax: number): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    async run(work) {
      if (running >= concurrentMax) {
        if (waiting.length >= waitingMax) return "busy";
        // The one that ends hands its place on, so nobody comes in between.
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
