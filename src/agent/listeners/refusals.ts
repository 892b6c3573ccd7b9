/**
 * Counts of streams refused before SSH in the last minutes, for `status`. Audit records each of them
 * (`failure-count.ts`); here are sums only.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";

/** How far back the sums go. */
export const REFUSALS_SECONDS = 600;
const STEP_MS = 60_000;

/** Sums of the last `REFUSALS_SECONDS`. */
export interface RefusalSums {
  /** Connections to the direct listener. */
  readonly direct: number;
  /** Streams of the relay. */
  readonly relay: number;
  /** Of those of the relay, what no device can have sent: it checks all that before it passes anything on. */
  readonly forgedByRelay: number;
  /** Where the last one came from, as far as that is known. */
  readonly lastAddress: string | null;
}

export const NOTHING_REFUSED: RefusalSums = { direct: 0, relay: 0, forgedByRelay: 0, lastAddress: null };

export interface Refusals {
  direct(address: string): void;
  relay(address: string, isForged: boolean): void;
  sums(): RefusalSums;
}

interface Step {
  readonly number: number;
  direct: number;
  relay: number;
  forgedByRelay: number;
}

export function createRefusals(clock: Pick<Clock, "monotonicMs">): Refusals {
  let steps: Step[] = [];
  let lastAddress: string | null = null;

  /** The step of now, without those that are too long ago. */
  function now(): Step {
    const number = Math.floor(clock.monotonicMs() / STEP_MS);
    const last = steps.at(-1);
    if (last?.number === number) return last;
    const made: Step = { number, direct: 0, relay: 0, forgedByRelay: 0 };
    const oldest = number - (REFUSALS_SECONDS * 1000) / STEP_MS;
    steps = [...steps.filter((step) => step.number > oldest), made];
    return made;
  }

  return {
    direct(address) {
      now().direct += 1;
      lastAddress = address;
    },
    relay(address, isForged) {
      const step = now();
      step.relay += 1;
      if (isForged) step.forgedByRelay += 1;
      lastAddress = address;
    },
    sums() {
      now();
      const sum = (of: (step: Step) => number) => steps.reduce((all, step) => all + of(step), 0);
      const [direct, relay] = [sum((step) => step.direct), sum((step) => step.relay)];
      const forgedByRelay = sum((step) => step.forgedByRelay);
      return { direct, relay, forgedByRelay, lastAddress: direct + relay === 0 ? null : lastAddress };
    },
  };
}
