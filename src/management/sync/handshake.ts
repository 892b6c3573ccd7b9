/**
 * The handshake with an agent, from an open socket to a proven agent: how many may try at once, the
 * challenge, and the proof.
 *
 * An agent that cannot be admitted now is told when to come back (`retry-pacing.ts`), so that a restart of
 * management causes no stampede. Read `open`, then `identify`.
 *
 * @module
 */
import type { ServerWebSocket } from "bun";
import { verifyEd25519 } from "../../base/ed25519.ts";
import { sourceKey } from "../../base/source-key.ts";
import type { AgentMessage } from "../../wire/agent-sync.ts";
import { signedBytes } from "../../wire/signed-fields.ts";
import { EVENT_VERSION, PROTOCOL_VERSION } from "../../wire/version.ts";
import type { ManagementContext } from "../contracts/context.ts";
import { createSourceCounter, type KeyedCounter } from "../contracts/keyed-counter.ts";
import { listAccounts } from "../db/tables/accounts.ts";
import { findPeerById, type PeerRow } from "../db/tables/peers.ts";
import { createKeyedSemaphore, type KeyedSemaphore } from "./keyed-semaphore.ts";
import type { SocketData } from "./link.ts";
import { storeReport } from "./report-store.ts";
import { createRetryPacing, type RetryPacing } from "./retry-pacing.ts";

type Socket = ServerWebSocket<SocketData>;
export type Identify = Extract<AgentMessage, { type: "identify" }>;

export interface HandshakeOptions {
  /** Milliseconds from `welcome` to the proof. Default 5000. */
  readonly identifyMs?: number;
  /** Unproven sockets, in total and from one address (IPv6: /64). Default 2048 and 512. */
  readonly unprovenMax?: number;
  readonly unprovenPerAddressMax?: number;
  /** Agents between `welcome` and their first map, at most half of them from one address. Default 128. */
  readonly handshakesMax?: number;
}

const IDENTIFY_MS = 5_000;
const HANDSHAKES_MAX = 128;
/** Agents that wait for their `welcome`, and for how long. The time is less than an agent waits for it. */
const WAITING_MAX = 1_024;
const WAIT_MS_MAX = 4_000;

export interface Handshake {
  /** Whether there are too many unproven sockets to open another. */
  readonly isOverrun: boolean;
  /** Call when a socket opens: sends `welcome` when its turn comes, or tells the agent to come back later. */
  open(socket: Socket): Promise<void>;
  /** Checks the proof and stores what the agent reports. Undefined: the agent was refused and told so. */
  identify(socket: Socket, identify: Identify): Promise<PeerRow | undefined>;
  /** Call when the agent's first map, or what replaces it, was sent: frees its place. May be called again. */
  serve(socket: Socket): void;
  /** Call when the socket is closed: frees everything it held. May be called again. */
  settle(socket: Socket): void;
  /** In how many milliseconds an agent that is turned away should try again. */
  retryAfterMs(): number;
  /** Milliseconds over which the agents here should spread their return if all links are lost at once. */
  readonly spreadMs: number;
  close(): void;
}

/** `hub.end` sends `bye` and closes. `hub.linkCount` is the number of agents with a link here. */
export function createHandshake(
  ctx: ManagementContext,
  options: HandshakeOptions,
  hub: {
    end(
      socket: Socket,
      code: string,
      message: string,
      more?: { retry?: boolean; retryAfterMs?: number },
    ): void;
    linkCount(): number;
  },
): Handshake {
  return new SocketHandshake(ctx, options, hub);
}

class SocketHandshake implements Handshake {
  readonly #ctx: ManagementContext;
  readonly #hub: Parameters<typeof createHandshake>[2];
  readonly #identifyMs: number;
  readonly #unproven: KeyedCounter;
  readonly #overrun: number;
  readonly #semaphore: KeyedSemaphore;
  readonly #retryPacing: RetryPacing;

  constructor(ctx: ManagementContext, options: HandshakeOptions, hub: Parameters<typeof createHandshake>[2]) {
    const { identifyMs = IDENTIFY_MS, unprovenMax = 2048, unprovenPerAddressMax = 512 } = options;
    this.#ctx = ctx;
    this.#hub = hub;
    this.#identifyMs = identifyMs;
    this.#unproven = createSourceCounter(unprovenMax, unprovenPerAddressMax);
    this.#overrun = unprovenMax * 2;
    this.#retryPacing = createRetryPacing(ctx.clock);
    this.#semaphore = createKeyedSemaphore({
      inMax: options.handshakesMax ?? HANDSHAKES_MAX,
      waitingMax: WAITING_MAX,
      waitMsMax: WAIT_MS_MAX,
    });
  }

  get isOverrun(): boolean {
    return this.#unproven.total >= this.#overrun;
  }

  get spreadMs(): number {
    return this.#retryPacing.spreadMs(this.#hub.linkCount());
  }

  retryAfterMs(): number {
    return this.#retryPacing.retryAfterMs();
  }

  async open(socket: Socket): Promise<void> {
    const { data } = socket;
    const source = sourceKey(data.sourceAddress);
    const isFull = this.#unproven.isFull(data.sourceAddress);
    this.#unproven.enter(data.sourceAddress);
    data.isUnproven = true;
    const leave = isFull ? null : await this.#semaphore.enter(source);
    if (leave === null) {
      this.#hub.end(socket, "busy", "management is busy", { retryAfterMs: this.retryAfterMs() });
      return;
    }
    data.leave = leave;
    if (socket.readyState !== WebSocket.OPEN) return this.settle(socket);
    data.timer = setTimeout(() => {
      const retryAfterMs = this.retryAfterMs();
      this.#hub.end(socket, "too_slow", "the proof of the device key did not come in time", { retryAfterMs });
    }, this.#identifyMs);
    await this.#welcome(socket);
  }

  async identify(socket: Socket, identify: Identify): Promise<PeerRow | undefined> {
    const { store, log } = this.#ctx;
    const { data } = socket;
    // The answer arrived in time; how long the check takes is not the agent's fault.
    if (data.timer !== null) clearTimeout(data.timer);
    data.timer = null;
    const peer = await store.read((tx) => findPeerById(tx, identify.peerId));
    if (peer === undefined || peer.kind !== "machine" || peer.accountId !== data.accountId) {
      const message = "this machine is not part of the account";
      this.#hub.end(socket, "peer_unknown", message, { retry: false });
      return undefined;
    }
    if (!this.#isProven(peer, identify, data.challenge)) {
      log.warn("an agent's proof of its device key is wrong", { peerId: identify.peerId });
      this.#hub.end(socket, "proof_refused", "the proof of the device key is wrong");
      return undefined;
    }
    await storeReport(this.#ctx, peer, identify, data.sourceAddress);
    if (socket.readyState !== WebSocket.OPEN) return undefined;
    this.#proven(socket);
    return peer;
  }

  serve(socket: Socket): void {
    if (!socket.data.isServed) this.#retryPacing.served();
    socket.data.isServed = true;
    this.settle(socket);
  }

  settle(socket: Socket): void {
    this.#proven(socket);
    socket.data.leave();
  }

  close(): void {
    this.#semaphore.close();
  }

  async #welcome(socket: Socket): Promise<void> {
    const { store, origin, clock, logs } = this.#ctx;
    const accounts = await store.read(listAccounts);
    const wanted = accounts.find(({ id }) => id === socket.data.wantedAccountId);
    const account = wanted ?? accounts[0];
    if (account === undefined) {
      return this.#hub.end(socket, "unavailable", "management is not set up yet");
    }
    socket.data.accountId = account.id;
    const log = await logs.identity(account.id);
    const welcome = {
      type: "welcome",
      protocolVersion: PROTOCOL_VERSION,
      eventVersion: EVENT_VERSION,
      accountId: account.id,
      origin,
      challenge: socket.data.challenge,
      nowMs: Math.round(clock.nowMs()),
      ...(log === undefined ? {} : { log }),
      via: true,
      upgrades: true,
    };
    socket.send(JSON.stringify(welcome));
  }

  #isProven(peer: PeerRow, { peerId, bootId, signature }: Identify, challenge: string): boolean {
    const scope = { accountId: peer.accountId, origin: this.#ctx.origin };
    return verifyEd25519(
      peer.deviceKey,
      signedBytes("sync", scope, { challenge, peerId, bootId }),
      signature,
    );
  }

  /** Stops counting the socket as unproven, whatever the outcome. */
  #proven({ data }: Socket): void {
    if (data.timer !== null) clearTimeout(data.timer);
    data.timer = null;
    if (!data.isUnproven) return;
    data.isUnproven = false;
    this.#unproven.leave(data.sourceAddress);
  }
}
