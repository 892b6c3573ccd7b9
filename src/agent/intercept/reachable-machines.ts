/**
 * Machines that this machine may reach, as management says: for programs here that know nothing of qf.
 *
 * The list is asked for when it is wanted, and from time to time. While management is away, the last one
 * stays.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import { type Asker, askNamesAs } from "../../client/target.ts";
import type { OverlayAddress } from "../../wire/units.ts";

export interface ReachableMachine {
  /** First label of its name. */
  readonly name: string;
  readonly address: OverlayAddress;
}

export interface ReachableMachines {
  all(): readonly ReachableMachine[];
  /** Asks now. Resolves when it is known, or management has not answered. */
  refresh(): Promise<void>;
  close(): void;
}

/** How often management is asked. What it says also changes when nothing of this machine's own map does. */
const REFRESH_MS = 30_000;

/** `onChange` is told of each list that differs from the one before. */
export function followReachable(options: {
  readonly asker: Asker;
  readonly log: Log;
  onChange(machines: readonly ReachableMachine[]): void;
}): ReachableMachines {
  const { asker, log, onChange } = options;
  let machines: readonly ReachableMachine[] = [];
  let asking: Promise<void> | null = null;
  let isClosed = false;
  const ask = async (): Promise<void> => {
    try {
      const answer = (await askNamesAs(asker, "yes")).machines ?? [];
      if (isClosed || JSON.stringify(answer) === JSON.stringify(machines)) return;
      machines = answer;
      onChange(machines);
    } catch (cause) {
      log.warn("management does not say which machines this one may reach", {}, cause);
    }
  };
  const refresh = (): Promise<void> => {
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  };
  const timer = setInterval(() => void refresh(), REFRESH_MS);
  timer.unref();
  return {
    all: () => machines,
    refresh,
    close() {
      isClosed = true;
      clearInterval(timer);
    },
  };
}
