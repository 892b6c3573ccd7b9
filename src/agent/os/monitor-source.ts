/**
 * Monitors for a server's sessions. The fork server forks each of them. Where there is none, one is started
 * ahead of its need while people come and go, so that nobody waits for a process to start; after a quiet time
 * there is none.
 *
 * @module
 */
import { type ForkServer, openForkServer } from "./fork-server.ts";
import { type Monitor, openForkedMonitor, openMonitor } from "./monitor.ts";
import { helperPath } from "./session-helper.ts";

export interface MonitorSource {
  /** A monitor of nobody's yet. Throws when the operating system has no process or descriptor left. */
  take(): Promise<Monitor>;
  close(): void;
}

export interface MonitorOpeners {
  /** A monitor that is started by itself. */
  open(): Promise<Monitor>;
  /** Null: this system has none. */
  openServer(): ForkServer | null;
  openForked(server: ForkServer): Promise<Monitor>;
}

/** Not while whoever has taken one still needs the processor for the first steps. */
const REFILL_AFTER_MS = 50;
/** A spare that nobody wanted for so long is let go. */
const IDLE_MS = 60_000;
/** For so long none is started after one was lost. */
const SERVER_RETRY_MS = 60_000;

const OPENERS: MonitorOpeners = {
  open: () => openMonitor(),
  openServer() {
    const path = helperPath();
    return path === null ? null : openForkServer(path);
  },
  openForked: openForkedMonitor,
};

export function createMonitorSource(openers: MonitorOpeners = OPENERS): MonitorSource {
  const forked = createForkedSource(openers);
  const spares = createSpares(openers.open);
  return {
    take: async () => (await forked.take()) ?? spares.take(),
    close() {
      forked.close();
      spares.close();
    },
  };
}

/** By a fork server, started when it is first needed. `take` resolves to null where there is none. */
function createForkedSource({ openServer, openForked }: MonitorOpeners) {
  let server: ForkServer | null = null;
  let isClosed = false;
  let retryAtMs = 0;
  const current = (): ForkServer | null => {
    if (server !== null && !server.isLost) return server;
    if (isClosed || performance.now() < retryAtMs) return null;
    server = openServer();
    // Where there is none now, there is none later.
    retryAtMs = server === null ? Number.POSITIVE_INFINITY : performance.now() + SERVER_RETRY_MS;
    return server;
  };
  return {
    async take(): Promise<Monitor | null> {
      try {
        const found = current();
        return found === null ? null : await openForked(found);
      } catch {
        return null;
      }
    },
    close() {
      isClosed = true;
      server?.close();
    },
  };
}

function createSpares(open: () => Promise<Monitor>): MonitorSource {
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
