/**
 * The machines that this machine may reach, according to management, for local programs that do not know qf.
 *
 * Fetched on demand and periodically. While management is away, the last list stays.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import { type Asker, askNamesAs } from "../../client/target.ts";
import type { OverlayAddress } from "../../wire/units.ts";

export interface ReachableMachine {
  /** The first label of its name. */
  readonly name: string;
  readonly address: OverlayAddress;
}

export interface ReachableMachines {
  all(): readonly ReachableMachine[];
  /** Fetches the list now. Resolves with or without an answer. */
  refresh(): Promise<void>;
  close(): void;
}

/** How often the list is fetched. It can change without a change of this machine's own map. */
const REFRESH_MS = 30_000;

/** Follows the list. `onChange` gets each list that differs from the one before. */
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
