/**
 * From an open socket to a proven agent: how many may try at once, what they are told first, and the proof.
 *
 * Whoever can not be let in now is told when to come back (`returns.ts`), so that a restart of management is no
 * stampede. Read `open`, then `identify`.
 *
 * @module
 */
import type { ServerWebSocket } from "bun";
import { verifyEd25519 } from "../../base/ed25519.ts";
import { sourceKey } from "../../base/source-key.ts";
import type { AgentMessage } from "../../wire/agent-sync.ts";
import { signedBytes } from "../../wire/signed-fields.ts";
import { PROTOCOL_VERSION } from "../../wire/version.ts";
import type { ManagementContext } from "../context.ts";
import { listAccounts } from "../db/accounts.ts";
import { findPeerById, type PeerRow } from "../db/peers.ts";
import { type Admission, createAdmission } from "./admission.ts";
import { createHeadcount, type Headcount } from "./headcount.ts";
import type { SocketData } from "./link.ts";
import { storeReport } from "./report-store.ts";
import { createReturns, type Returns } from "./returns.ts";

type Socket = ServerWebSocket<SocketData>;
export type Identify = Extract<AgentMessage, { type: "identify" }>;

export interface HandshakeOptions {
  /** Milliseconds to prove oneself, once asked. Default 5000. */
  readonly identifyMs?: number;
  /** Connections that have not proven themselves, in total and from one address (IPv6: /64). Default 2048 and 512. */
  readonly unprovenMax?: number;
  readonly unprovenPerAddressMax?: number;
  /** Agents between being asked who they are and their first map, at once; half from one address. Default 128. */
  readonly handshakesMax?: number;
}

const IDENTIFY_MS = 5_000;
const HANDSHAKES_MAX = 128;
/** Agents that wait to be asked; and how long, which is less than an agent's own patience. */
const WAITING_MAX = 1_024;
const WAIT_MS_MAX = 4_000;

export interface Handshake {
  /** Whether so many are there already that one more is not even talked to. */
  readonly isOverrun: boolean;
  /** The socket is open: sends `welcome` in its turn. */
  open(socket: Socket): Promise<void>;
  /** Who it is, once proven and stored. Undefined: it was refused, and told so. */
  identify(socket: Socket, identify: Identify): Promise<PeerRow | undefined>;
  /** It has what it came for. Once or more. */
  serve(socket: Socket): void;
  /** It is gone. Once or more. */
  settle(socket: Socket): void;
  /** Somebody is turned away: when to try again. */
  retryAfterMs(): number;
  /** How far agents are to spread their return, should they all be lost at once. */
  readonly spreadMs: number;
  close(): void;
}

/** `end` says goodbye and closes; `linkCount`: agents that are here. */
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
  readonly #unproven: Headcount;
  readonly #overrun: number;
  readonly #admission: Admission;
  readonly #returns: Returns;

  constructor(ctx: ManagementContext, options: HandshakeOptions, hub: Parameters<typeof createHandshake>[2]) {
    const { identifyMs = IDENTIFY_MS, unprovenMax = 2048, unprovenPerAddressMax = 512 } = options;
    this.#ctx = ctx;
    this.#hub = hub;
    this.#identifyMs = identifyMs;
    this.#unproven = createHeadcount(unprovenMax, unprovenPerAddressMax);
    this.#overrun = unprovenMax * 2;
    this.#returns = createReturns(ctx.clock);
    this.#admission = createAdmission({
      inMax: options.handshakesMax ?? HANDSHAKES_MAX,
      waitingMax: WAITING_MAX,
      waitMsMax: WAIT_MS_MAX,
    });
  }

  get isOverrun(): boolean {
    return this.#unproven.total >= this.#overrun;
  }

  get spreadMs(): number {
    return this.#returns.spreadMs(this.#hub.linkCount());
  }

  retryAfterMs(): number {
    return this.#returns.retryAfterMs();
  }

  async open(socket: Socket): Promise<void> {
    const { data } = socket;
    const source = sourceKey(data.sourceAddress);
    const isFull = this.#unproven.isFull(source);
    this.#unproven.enter(source);
    data.isUnproven = true;
    const leave = isFull ? null : await this.#admission.enter(source);
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
    // It has answered in time: how long the rest takes is up to us.
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
    if (!socket.data.isServed) this.#returns.served();
    socket.data.isServed = true;
    this.settle(socket);
  }

  settle(socket: Socket): void {
    this.#proven(socket);
    socket.data.leave();
  }

  close(): void {
    this.#admission.close();
  }

  async #welcome(socket: Socket): Promise<void> {
    const { store, origin, clock } = this.#ctx;
    const accounts = await store.read(listAccounts);
    const wanted = accounts.find(({ id }) => id === socket.data.wantedAccountId);
    const account = wanted ?? accounts[0];
    if (account === undefined) {
      return this.#hub.end(socket, "unavailable", "management is not set up yet");
    }
    socket.data.accountId = account.id;
    const welcome = {
      type: "welcome",
      protocolVersion: PROTOCOL_VERSION,
      accountId: account.id,
      origin,
      challenge: socket.data.challenge,
      nowMs: Math.round(clock.nowMs()),
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
    this.#unproven.leave(sourceKey(data.sourceAddress));
  }
}
