/**
 * Recent counts of streams refused before SSH, for `status`. Audit has the details (`failure-count.ts`).
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";

/** Period that the sums cover. */
export const REFUSALS_SECONDS = 600;
const STEP_MS = 60_000;

/** Sums over the last `REFUSALS_SECONDS`. */
export interface RefusalSums {
  /** Connections to the direct listener. */
  readonly direct: number;
  /** Streams from the relay. */
  readonly relay: number;
  /**
   * Relay streams that no device can have sent, because an honest relay checks them before it passes them on.
   */
  readonly forgedByRelay: number;
  /** Claimed source of the last one. Null: none. */
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

  /** The current step. Drops steps that are too old. */
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
