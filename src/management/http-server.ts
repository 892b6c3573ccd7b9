/**
 * Management's listening socket, for HTTP and WebSockets. It opens before the parts that answer on it,
 * because they may need its port. Until they are attached it answers 503.
 *
 * @module
 */
import type { Server, ServerWebSocket, WebSocketHandler } from "bun";
import { SAFE_HEADERS } from "../base/html.ts";
import { AGENT_PART_BYTES_MAX } from "../wire/agent-parts.ts";
import { LINK_TIMEOUT_MS, MANAGEMENT_FRAME_BYTES_MAX } from "../wire/agent-sync.ts";
import type { ApiFailure } from "../wire/client-api.ts";
import { RELAY_FRAME_BYTES_MAX } from "../wire/relay.ts";
import { listening } from "./contracts/listening.ts";
import type { SessionWatch, WatchSocketData } from "./http/dashboard/session-watch.ts";
import type { RequestEntry } from "./http/request-entry.ts";
import type { RelayHub, RelaySocketData } from "./relay/relay-hub.ts";
import type { CheckedListen } from "./serve-options.ts";
import type { SocketData } from "./sync/link.ts";
import type { SyncHub } from "./sync/sync-hub.ts";
import type { TlsPair } from "./tls-files.ts";

/** Above the largest body any route takes; each route has its own, smaller bound. */
const REQUEST_BYTES_MAX = 5 * 1024 * 1024;
/** An idle HTTP connection is closed after this. */
const IDLE_SECONDS = 60;
/** How long requests in flight may take when the server stops. */
const STOP_MS = 3_000;

/** Data attached to a WebSocket; `kind` says which hub it belongs to. */
export type HttpSocketData = SocketData | RelaySocketData | WatchSocketData;

export interface HttpServer {
  readonly port: number;
  /** Starts passing requests to `entry`, and WebSocket events to the hub that each socket belongs to. */
  open(entry: RequestEntry, hubs: Hubs): void;
  /**
   * Presents this certificate to new connections. Existing ones continue, WebSockets too. Only for a server
   * that started with TLS.
   */
  renewTls(tls: TlsPair): void;
  /** Stops accepting, lets responses finish, then drops what is left. */
  close(): Promise<void>;
}

/**
 * Throws ERR_ADDRESS_IN_USE, ERR_PERMISSION for a port below 1024, ERR_USAGE for an address that is not ours.
 */
export function openHttpServer(listen: CheckedListen, port: number): HttpServer {
  const state: Answering = { entry: undefined, hubs: undefined };
  const { hostname } = listen;
  const open = (at: number, tls: TlsPair | null): Server<HttpSocketData> =>
    listening({ hostname, port: at, flag: "--listen" }, () => serveOn(hostname, at, tls, state));
  let server = openFirst(open, port, listen.tls);
  const chosen = server.port ?? port;
  const stopping = new Set<Promise<void>>();
  return {
    port: chosen,
    open(entry, hubs) {
      state.entry = entry;
      state.hubs = hubs;
    },
    renewTls(tls) {
      const before = server;
      server = open(chosen, tls);
      // Not forced: existing connections end by themselves.
      const stopped = before.stop().finally(() => stopping.delete(stopped));
      stopping.add(stopped);
    },
    async close() {
      const forced = setTimeout(() => void server.stop(true), STOP_MS);
      await Promise.race([Promise.all([server.stop(), ...stopping]), Bun.sleep(STOP_MS)]);
      clearTimeout(forced);
    },
  };
}

/** What answers requests. Both are undefined until `open`. */
interface Answering {
  entry: RequestEntry | undefined;
  hubs: Hubs | undefined;
}

/**
 * Opens the first listener. With TLS, listeners of this process share the port, so that a renewed certificate
 * takes over without a gap. A shared bind would not notice that another process has the port, so an unshared
 * one probes it first.
 */
function openFirst(
  open: (port: number, tls: TlsPair | null) => Server<HttpSocketData>,
  port: number,
  tls: TlsPair | null,
): Server<HttpSocketData> {
  const probe = open(port, null);
  if (tls === null) return probe;
  const chosen = probe.port ?? port;
  void probe.stop(true);
  return open(chosen, tls);
}

function serveOn(
  hostname: string,
  port: number,
  tls: TlsPair | null,
  state: Answering,
): Server<HttpSocketData> {
  return Bun.serve<HttpSocketData>({
    hostname,
    port,
    ...(tls === null ? {} : { tls }),
    maxRequestBodySize: REQUEST_BYTES_MAX,
    idleTimeout: IDLE_SECONDS,
    development: false,
    // With `development` off, Bun 1.4.5 shares the port with any process unless this is set.
    reusePort: tls !== null,
    fetch: (request, self) => {
      const { entry } = state;
      if (entry === undefined) return failed(STARTING);
      return entry.answer(request, self.requestIP(request)?.address ?? "", self as Server<unknown>);
    },
    error: () => failed({ code: 500, message: "something went wrong in management", error: "ERR_INTERNAL" }),
    websocket: delegating(() => state.hubs),
  });
}

const STARTING: ApiFailure = { code: 503, message: "management is starting", error: "ERR_UNAVAILABLE" };

/** The failure as JSON, which is what clients read. */
function failed(body: ApiFailure): Response {
  const retry = body.code === 503 ? { "Retry-After": "1" } : {};
  return Response.json(body, { status: body.code, headers: { ...SAFE_HEADERS, ...retry } });
}

/** The hubs that the port's WebSockets belong to. */
export interface Hubs {
  readonly sync: SyncHub;
  readonly relay: RelayHub;
  readonly watch: SessionWatch;
}

/**
 * Calls the hub that a socket belongs to. Bun has one set of bounds for all WebSockets of a port; each hub
 * refuses what is within them and still too large for it.
 */
function delegating(hubs: () => Hubs | undefined): WebSocketHandler<HttpSocketData> {
  const handlerOf = (
    socket: ServerWebSocket<HttpSocketData>,
  ): WebSocketHandler<HttpSocketData> | undefined => {
    const found = hubs();
    const { kind } = socket.data;
    const hub = kind === "agent-sync" ? found?.sync : kind === "watch" ? found?.watch : found?.relay;
    const handler = hub?.websocket;
    return handler as WebSocketHandler<HttpSocketData> | undefined;
  };
  return {
    // Also bounds an unfinished message. Agents send larger ones in parts (wire/agent-parts.ts).
    maxPayloadLength: Math.max(RELAY_FRAME_BYTES_MAX, AGENT_PART_BYTES_MAX),
    backpressureLimit: MANAGEMENT_FRAME_BYTES_MAX,
    closeOnBackpressureLimit: true,
    idleTimeout: LINK_TIMEOUT_MS / 1000,
    sendPings: false,
    open: (socket) => handlerOf(socket)?.open?.(socket),
    message: (socket, data) => handlerOf(socket)?.message?.(socket, data),
    drain: (socket) => handlerOf(socket)?.drain?.(socket),
    close: (socket, code, reason) => handlerOf(socket)?.close?.(socket, code, reason),
  };
}
