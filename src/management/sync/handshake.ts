/**
 * The handshake with an agent, from an open socket to a proven agent: how many may try at once, the
 * challenge, and the proof.
 *
 * An agent that cannot be let in now is told when to come back (`retry-pacing.ts`), so that a restart of
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
  /**
   * Sockets that have not proven themselves, in total and from one address (IPv6: /64). Default 2048 and 512.
   */
  readonly unprovenMax?: number;
  readonly unprovenPerAddressMax?: number;
  /**
   * Agents between `welcome` and their first map at once, at most half of them from one address. Default 128.
   */
  readonly handshakesMax?: number;
}

const IDENTIFY_MS = 5_000;
const HANDSHAKES_MAX = 128;
/** Agents that wait for their `welcome`, and for how long: less than an agent waits for it. */
const WAITING_MAX = 1_024;
const WAIT_MS_MAX = 4_000;

export interface Handshake {
  /** Whether there are so many unproven sockets that one more is refused before it is opened. */
  readonly isOverrun: boolean;
  /** To be called when a socket opens: sends `welcome` when its turn comes, or says to come back later. */
  open(socket: Socket): Promise<void>;
  /** Checks the proof, and stores what the agent reports. Undefined: it was refused, and told so. */
  identify(socket: Socket, identify: Identify): Promise<PeerRow | undefined>;
  /** The agent's first map, or what stands for one, is on its way: its place is free. Once or more. */
  serve(socket: Socket): void;
  /** The socket is gone: gives back all it had. Once or more. */
  settle(socket: Socket): void;
  /** For an agent that is turned away: in how many milliseconds to try again. */
  retryAfterMs(): number;
  /** Milliseconds over which the agents here are to spread their return, should all links be lost at once. */
  readonly spreadMs: number;
  close(): void;
}

/** `hub.end` sends `bye` and closes; `hub.linkCount`: agents that have a link here. */
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
    // The answer came in time; how long it takes to check is our affair.
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

  /** No longer counts as unproven, whichever way that ended. */
  #proven({ data }: Socket): void {
    if (data.timer !== null) clearTimeout(data.timer);
    data.timer = null;
    if (!data.isUnproven) return;
    data.isUnproven = false;
    this.#unproven.leave(data.sourceAddress);
  }
}
