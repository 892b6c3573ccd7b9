/**
 * The listener on which other management processes open tunnels to this one. Any request without the proof of
 * such a process gets 404.
 *
 * @module
 */
import type { ServerWebSocket } from "bun";
import { type Clock, nowSeconds } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { formatHostPort } from "../../fabric/host-port.ts";
import { createReplayCache } from "../../fabric/replay-cache.ts";
import { createSourceLimits } from "../../fabric/source-limits.ts";
import { CLOCK_SKEW_SECONDS } from "../../wire/certificate.ts";
import { RELAY_FRAME_BYTES_MAX } from "../../wire/relay.ts";
import {
  RELAY_SEAL_BYTES,
  RELAY_TUNNEL_HEADER,
  RELAY_TUNNEL_PATH,
  RELAY_TUNNEL_TIMEOUT_MS,
  type RelayTunnelDial,
} from "../../wire/relay-tunnel.ts";
import { listening } from "../contracts/listening.ts";
import type { Cluster } from "../db/engine/cluster.ts";
import { Tunnel, type TunnelHost } from "./tunnel.ts";
import { acceptTunnel, readTunnelDial, type TunnelScope } from "./tunnel-proof.ts";

/** Tunnels at once. Each other process has one. */
const TUNNELS_MAX = 256;
/** Requests have no body. */
const REQUEST_BYTES_MAX = 1_024;

export interface ClusterAddress {
  /** An IPv6 address has no brackets here. */
  readonly hostname: string;
  /** 0: any. */
  readonly port: number;
  /** HOST:PORT announced to the other processes if they cannot dial the listening address. */
  readonly advertise?: string;
}

export interface TunnelListenerDeps {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
  readonly host: TunnelHost;
  readonly listen: ClusterAddress;
  /** Undefined while there is no account. */
  readonly scope: () => Promise<TunnelScope | undefined>;
}

export interface TunnelListener {
  /** HOST:PORT as announced to the other processes. */
  readonly address: string;
  close(): Promise<void>;
}

interface TunnelSocketData {
  readonly dial: RelayTunnelDial;
  readonly scope: TunnelScope;
  tunnel: Tunnel | null;
}

export function listenForTunnels(deps: TunnelListenerDeps): TunnelListener {
  const { hostname, port, advertise } = deps.listen;
  const check = createTunnelCheck(deps);
  const strangers = createSourceLimits(deps.clock);
  const open = new Map<string, ServerWebSocket<TunnelSocketData>>();
  const server = listening({ hostname, port, flag: "--cluster-listen" }, () =>
    Bun.serve<TunnelSocketData>({
      hostname,
      port,
      reusePort: false,
      development: false,
      maxRequestBodySize: REQUEST_BYTES_MAX,
      async fetch(request, self) {
        const address = self.requestIP(request)?.address ?? "";
        if (!strangers.enter(address)) return nothing();
        let proven: Omit<TunnelSocketData, "tunnel"> | null = null;
        try {
          proven = open.size < TUNNELS_MAX ? await check(request) : null;
        } finally {
          strangers.leave(address, proven !== null);
        }
        if (proven === null) return nothing();
        return self.upgrade(request, { data: { ...proven, tunnel: null } }) ? undefined : nothing();
      },
      error: nothing,
      websocket: {
        maxPayloadLength: RELAY_FRAME_BYTES_MAX + RELAY_SEAL_BYTES,
        // Above everything that may wait, so that nothing is dropped silently.
        backpressureLimit: 2 * deps.host.waiting.bytesMax,
        closeOnBackpressureLimit: true,
        idleTimeout: Math.ceil((2 * RELAY_TUNNEL_TIMEOUT_MS) / 1000),
        sendPings: false,
        open: (socket) => begin(deps, open, socket),
        message: (socket, message) => socket.data.tunnel?.receive(message),
        drain: (socket) => socket.data.tunnel?.sendQueue.count(),
        close: (socket) => {
          if (open.get(socket.data.dial.from) === socket) open.delete(socket.data.dial.from);
          socket.data.tunnel?.over();
        },
      },
    }),
  );
  return {
    address: advertise ?? formatHostPort(hostname, server.port ?? port),
    async close() {
      for (const { data } of [...open.values()]) data.tunnel?.over();
      await server.stop(true);
    },
  };
}

/** Checks what a request proves. Null: nothing. */
function createTunnelCheck({ cluster, clock, scope }: TunnelListenerDeps) {
  const dials = createReplayCache();
  return async (request: Request): Promise<{ dial: RelayTunnelDial; scope: TunnelScope } | null> => {
    const header = request.headers.get(RELAY_TUNNEL_HEADER);
    if (new URL(request.url).pathname !== RELAY_TUNNEL_PATH || header === null) return null;
    const known = await scope();
    const dial = known === undefined ? null : readTunnelDial(known, header);
    if (known === undefined || dial === null) return null;
    const now = nowSeconds(clock);
    if (dial.to !== cluster.processId || dial.from === cluster.processId) return null;
    if (Math.abs(dial.timeSeconds - now) > CLOCK_SKEW_SECONDS) return null;
    const taken = dials.take(dial.from, dial.nonce, dial.timeSeconds + CLOCK_SKEW_SECONDS, now);
    return taken === "fresh" ? { dial, scope: known } : null;
  };
}

/** The newer tunnel of a process wins: it would not have opened another unless the older were dead. */
function begin(
  { host, clock, log }: TunnelListenerDeps,
  open: Map<string, ServerWebSocket<TunnelSocketData>>,
  socket: ServerWebSocket<TunnelSocketData>,
): void {
  const { dial, scope } = socket.data;
  const accepted = acceptTunnel(scope, dial);
  if (accepted === null) {
    socket.close();
    return;
  }
  const old = open.get(dial.from);
  open.set(dial.from, socket);
  old?.data.tunnel?.over();
  socket.send(accepted.message);
  socket.data.tunnel = new Tunnel({ host, clock, log, socket, seal: accepted.seal, end: "accept" });
}

function nothing(): Response {
  return new Response(null, { status: 404 });
}
