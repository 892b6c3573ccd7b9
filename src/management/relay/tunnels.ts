/**
 * The tunnels of this process. One leads to each process that has the link of a machine which a client here
 * dials; it is opened when first needed and kept. Also the listener for tunnels from others.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../../base/clock.ts";
import type { Ed25519Key } from "../../base/ed25519.ts";
import type { Log } from "../../base/log.ts";
import type { RelayReset } from "../../wire/relay.ts";
import { RELAY_TUNNEL_HEADER, RELAY_TUNNEL_OPEN_MS, RELAY_TUNNEL_PATH } from "../../wire/relay-tunnel.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import { openTunnelKey } from "../ca/key-ring.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { Cluster, RelayPlace } from "../db/engine/cluster.ts";
import type { QueueSocket } from "./send-queue.ts";
import { Tunnel, type TunnelHost } from "./tunnel.ts";
import { type ClusterAddress, listenForTunnels, type TunnelListener } from "./tunnel-listener.ts";
import { dialTunnel, type TunnelScope } from "./tunnel-proof.ts";
import type { Seal } from "./tunnel-seal.ts";

/** Milliseconds for which an unreachable process is not tried again. */
const PAUSE_MS = 1_000;

export interface TunnelsDeps {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
  readonly origin: string;
  /** The key that all processes share. Undefined while there is no account. */
  readonly key: () => Promise<Ed25519Key | undefined>;
  readonly host: TunnelHost;
  /** Where other processes may dial. Null: nowhere. */
  readonly listen: ClusterAddress | null;
}

export interface Tunnels {
  /** HOST:PORT announced to the other processes. Null: none. */
  readonly address: string | null;
  /** A tunnel to the process that has the machine's link, or the reason why there is none. */
  reach(accountId: AccountId, peerId: PeerId): Promise<Tunnel | RelayReset>;
  close(): Promise<void>;
}

/** Throws ERR_ADDRESS_IN_USE, ERR_PERMISSION or ERR_USAGE for an address that cannot be listened on. */
export async function openTunnels(deps: TunnelsDeps): Promise<Tunnels> {
  const scope = async (): Promise<TunnelScope | undefined> => {
    const key = await deps.key();
    return key === undefined ? undefined : { origin: deps.origin, key };
  };
  const listener = deps.listen === null ? null : listenForTunnels({ ...deps, listen: deps.listen, scope });
  try {
    await deps.cluster.setAddress(listener?.address ?? null);
  } catch (cause) {
    await listener?.close();
    throw cause;
  }
  return new TunnelPool(deps, scope, listener);
}

/** Lets the relay reach machines that are linked to another process on the same database, through tunnels. */
export async function joinOthers(on: {
  context: ManagementContext;
  relay: { readonly host: TunnelHost; join(tunnels: Tunnels): void };
  masterKey: Uint8Array;
  listen: ClusterAddress | null;
}): Promise<void> {
  const { context, relay, masterKey, listen } = on;
  const { cluster } = context.store;
  if (cluster === null) return;
  let known: Promise<Ed25519Key | undefined> | undefined;
  const key = (): Promise<Ed25519Key | undefined> => {
    known ??= openTunnelKey(context.store, masterKey).then((found) => {
      if (found === undefined) known = undefined;
      return found;
    });
    known.catch(() => {
      known = undefined;
    });
    return known;
  };
  relay.join(await openTunnels({ ...context, cluster, key, host: relay.host, listen }));
}

class TunnelPool implements Tunnels {
  readonly #deps: TunnelsDeps;
  readonly #scope: () => Promise<TunnelScope | undefined>;
  readonly #listener: TunnelListener | null;
  readonly #tunnels = new Map<string, Tunnel>();
  readonly #dialling = new Map<string, Promise<Tunnel | null>>();
  /** Processes that could not be reached, and until when they are not tried. */
  readonly #pausedUntilMs = new Map<string, number>();

  constructor(
    deps: TunnelsDeps,
    scope: () => Promise<TunnelScope | undefined>,
    listener: TunnelListener | null,
  ) {
    this.#deps = deps;
    this.#scope = scope;
    this.#listener = listener;
  }

  get address(): string | null {
    return this.#listener?.address ?? null;
  }

  async reach(accountId: AccountId, peerId: PeerId): Promise<Tunnel | RelayReset> {
    const place = await this.#deps.cluster.relayLinks.find(accountId, peerId);
    if (place === undefined) return "absent";
    const { processId } = place;
    const open = this.#tunnels.get(processId);
    if (open !== undefined && !open.isOver) return open;
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs < (this.#pausedUntilMs.get(processId) ?? 0)) return "broken";
    let dialling = this.#dialling.get(processId);
    if (dialling === undefined) {
      dialling = this.#dial(place).finally(() => this.#dialling.delete(processId));
      this.#dialling.set(processId, dialling);
    }
    return (await dialling) ?? "broken";
  }

  async close(): Promise<void> {
    for (const tunnel of this.#tunnels.values()) tunnel.over();
    await this.#listener?.close();
  }

  /** Null: the process cannot be reached. */
  async #dial({ processId, address }: RelayPlace): Promise<Tunnel | null> {
    const { cluster, clock, log, host } = this.#deps;
    const scope = await this.#scope();
    const at = { from: cluster.processId, to: processId, nowSeconds: nowSeconds(clock) };
    const made = scope === undefined || address === null ? null : await openSocket(address, scope, at);
    if (made === null) {
      log.warn("a machine is linked to a process that cannot be reached", {
        address: address ?? "none",
        hint: "give each process a --cluster-listen that the others reach",
      });
      this.#pausedUntilMs.clear();
      this.#pausedUntilMs.set(processId, clock.monotonicMs() + PAUSE_MS);
      return null;
    }
    const { socket, seal } = made;
    const tunnel = new Tunnel({ host, clock, log, socket: sendQueueOf(socket), seal, end: "dial" });
    this.#tunnels.set(processId, tunnel);
    socket.onmessage = ({ data }: { data: unknown }) => tunnel.receive(data);
    socket.onclose = () => {
      tunnel.over();
      if (this.#tunnels.get(processId) === tunnel) this.#tunnels.delete(processId);
    };
    return tunnel;
  }
}

/** A socket after both proofs. Null: no answer, or not from the expected process. */
async function openSocket(
  address: string,
  scope: TunnelScope,
  at: { from: string; to: string; nowSeconds: number },
): Promise<{ socket: WebSocket; seal: Seal } | null> {
  const dialling = dialTunnel(scope, at);
  const headers = { [RELAY_TUNNEL_HEADER]: dialling.header };
  // Bun's extensions of WebSocket: headers, and messages as Buffers.
  const socket = new WebSocket(`ws://${address}${RELAY_TUNNEL_PATH}`, { headers } as object as string[]);
  (socket as { binaryType: string }).binaryType = "nodebuffer";
  const { promise, resolve } = Promise.withResolvers<Seal | null>();
  const timer = setTimeout(() => resolve(null), RELAY_TUNNEL_OPEN_MS);
  socket.onmessage = ({ data }: { data: unknown }) => resolve(dialling.finish(data));
  socket.onerror = () => {};
  socket.onclose = () => resolve(null);
  const seal = await promise;
  clearTimeout(timer);
  if (seal !== null) return { socket, seal };
  socket.close();
  return null;
}

function sendQueueOf(socket: WebSocket): QueueSocket {
  return {
    get readyState() {
      return socket.readyState;
    },
    send: (frame) => socket.send(frame as Buffer<ArrayBuffer>),
    close: () => socket.close(),
    terminate: () => (socket as WebSocket & { terminate(): void }).terminate(),
    getBufferedAmount: () => socket.bufferedAmount,
  };
}
