/**
 * How many may be in the middle of something costly at once; the others wait their turn, and those for whom
 * there is no room left to wait, or whose turn does not come in time, are told to come back later.
 *
 * @module
 */

export interface AdmissionBounds {
  /** At once. */
  readonly inMax: number;
  /** Waiting. */
  readonly waitingMax: number;
  /** Longest wait, in milliseconds. */
  readonly waitMsMax: number;
}

export interface Admission {
  /** Resolves with how to leave, to be called once or more, or with null: come back later. */
  enter(): Promise<(() => void) | null>;
  readonly inside: number;
  /** The most that were ever inside at once. */
  readonly peak: number;
  /** Nobody waits any more; who still comes is turned away. */
  close(): void;
}

type Leave = () => void;

export function createAdmission({ inMax, waitingMax, waitMsMax }: AdmissionBounds): Admission {
  /** In order of coming. */
  const waiting = new Set<(leave: Leave | null) => void>();
  let inside = 0;
  let peak = 0;
  let isClosed = false;
  const admitted = (): Leave => {
    inside += 1;
    peak = Math.max(peak, inside);
    let isOut = false;
    return () => {
      if (isOut) return;
      isOut = true;
      inside -= 1;
      const [next] = waiting;
      if (next === undefined) return;
      waiting.delete(next);
      next(admitted());
    };
  };
  return {
    enter: () => {
      if (isClosed) return Promise.resolve(null);
      if (inside < inMax) return Promise.resolve(admitted());
      if (waiting.size >= waitingMax) return Promise.resolve(null);
      return new Promise((resolve) => {
        const done = (leave: Leave | null): void => {
          clearTimeout(timer);
          resolve(leave);
        };
        const timer = setTimeout(() => {
          waiting.delete(done);
          done(null);
        }, waitMsMax);
        waiting.add(done);
      });
    },
    get inside() {
      return inside;
    },
    get peak() {
      return peak;
    },
    close() {
      isClosed = true;
      for (const done of waiting) done(null);
      waiting.clear();
    },
  };
}
