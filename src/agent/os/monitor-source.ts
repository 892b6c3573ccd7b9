/**
 * Monitors for a server's sessions, forked by the fork server. Without one, a spare monitor is started ahead
 * of need while connections come in, so that none waits for a process to start. An idle spare is dropped.
 *
 * @module
 */
import { type ForkServer, openForkServer } from "./fork-server.ts";
import { type Monitor, openForkedMonitor, openMonitor } from "./monitor.ts";
import { helperPath } from "./session-helper.ts";

export interface MonitorSource {
  /** A monitor that is not in use yet. Throws when no process or descriptor is available. */
  take(): Promise<Monitor>;
  close(): void;
}

export interface MonitorOpeners {
  /** Starts a monitor process of its own. */
  open(): Promise<Monitor>;
  /** Null: this system cannot have one. */
  openServer(): ForkServer | null;
  openForked(server: ForkServer): Promise<Monitor>;
}

/** Not at once, because the session that just took a monitor needs the processor first. */
const REFILL_AFTER_MS = 50;
/** An unused spare is closed after this time. */
const IDLE_MS = 60_000;
/** Pause before a lost fork server is started again. */
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

/** Forks monitors from a server started on first use. `take` resolves to null where there is none. */
function createForkedSource({ openServer, openForked }: MonitorOpeners) {
  let server: ForkServer | null = null;
  let isClosed = false;
  let retryAtMs = 0;
  const current = (): ForkServer | null => {
    if (server !== null && !server.isLost) return server;
    if (isClosed || performance.now() < retryAtMs) return null;
    server = openServer();
    // A system that cannot have one now will not later.
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
