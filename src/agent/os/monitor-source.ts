/**
 * Monitors for a server's sessions. One is started ahead of its need while people come and go, so that
 * nobody waits for a process to start; after a quiet time there is none.
 *
 * @module
 */
import { type Monitor, openMonitor } from "./monitor.ts";

export interface MonitorSource {
  /** A monitor of nobody's yet. Throws when the operating system has no process or descriptor left. */
  take(): Promise<Monitor>;
  close(): void;
}

/** Not while whoever has taken one still needs the processor for the first steps. */
const REFILL_AFTER_MS = 50;
/** A spare that nobody wanted for so long is let go. */
const IDLE_MS = 60_000;

export function createMonitorSource(open: () => Promise<Monitor> = () => openMonitor()): MonitorSource {
  let spare: Monitor | null = null;
  let refill: NodeJS.Timeout | undefined;
  let idle: NodeJS.Timeout | undefined;
  let isClosed = false;

  const drop = (): void => {
    spare?.close();
    spare = null;
  };
  const fill = async (): Promise<void> => {
    const opened = await open().catch(() => null);
    if (spare !== null || isClosed) opened?.close();
    else spare = opened;
  };

  return {
    async take() {
      const found = spare;
      spare = null;
      clearTimeout(refill);
      clearTimeout(idle);
      if (!isClosed) {
        refill = setTimeout(() => void fill(), REFILL_AFTER_MS).unref();
        idle = setTimeout(drop, IDLE_MS).unref();
      }
      return found === null || found.isClosed ? open() : found;
    },
    close() {
      isClosed = true;
      clearTimeout(refill);
      clearTimeout(idle);
      drop();
    },
  };
}
