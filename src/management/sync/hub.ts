/**
 * Management's end of every agent's control WebSocket, `GET /agent/v1/sync`: proves who is there, keeps
 * one link per peer, sends each what changed for it, and takes its evidence in.
 *
 * `serve.ts` hands requests to `upgrade` and gives `websocket` to Bun.serve. Shapes: `wire/agent-sync.ts`.
 * Read `onIdentify` first.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Server, ServerWebSocket, WebSocketHandler } from "bun";
import { verifyEd25519 } from "../../base/ed25519.ts";
import { QfError } from "../../base/errors.ts";
import { parseJson } from "../../base/files.ts";
import { AGENT_PART_BYTES_MAX, createAgentParts } from "../../wire/agent-parts.ts";
import {
  AgentMessage,
  LINK_TIMEOUT_MS,
  type LiveSession,
  MANAGEMENT_FRAME_BYTES_MAX,
} from "../../wire/agent-sync.ts";
import type { NetworkMap } from "../../wire/network-map.ts";
import { signedBytes } from "../../wire/signed-fields.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import { PROTOCOL_VERSION } from "../../wire/version.ts";
import { ingestAgentEvents } from "../audit-ingest.ts";
import type { ManagementContext } from "../context.ts";
import { listAccounts } from "../db/accounts.ts";
import type { LinkState } from "../db/cluster.ts";
import { findPeerById, type PeerRow } from "../db/peers.ts";
import type { Approvals } from "../login/approval.ts";
import { answerApproval } from "./approvals.ts";
import { createCloneWatch } from "./clone-watch.ts";
import { createHeadcount, type Headcount } from "./headcount.ts";
import { type AgentLink, createLink, type SocketData } from "./link.ts";
import { recordClone, storeFlags, storeReport, touchPeers } from "./report-store.ts";

export type { SocketData } from "./link.ts";

/** A live session with the machine it is on. */
export interface PeerSession {
  readonly peerId: PeerId;
  readonly session: LiveSession;
}

export interface SyncHub {
  /** Answers a request to the sync path. Undefined: it is a WebSocket now. */
  upgrade(request: Request, server: Server<SocketData>): Response | undefined;
  readonly websocket: WebSocketHandler<SocketData>;
  /** Whether the peer has a live link here. */
  isConnected(peerId: PeerId): boolean;
  /** Resolves once the peer has said that it has this version, has no link, or after `timeoutMs`. */
  waitForAck(peerId: PeerId, version: number, timeoutMs: number): Promise<void>;
  /** Live sessions of an account's machines, as last told. */
  sessions(accountId: AccountId): PeerSession[];
  /** Ends a connection on a machine. False when that machine has no link. */
  kill(peerId: PeerId, connectionId: string, reason: string): boolean;
  /** Who answers machines that ask for approvals; until then they hear that it can not be done. */
  serveApprovals(approvals: Approvals): void;
  /** Says goodbye to all, with the request to come back. */
  close(): Promise<void>;
}

export interface SyncHubOptions {
  /** Milliseconds to prove oneself. Default 5000. */
  readonly identifyMs?: number;
  /** Connections that have not proven themselves, in total and from one address. Default 2048 and 512. */
  readonly unprovenMax?: number;
  readonly unprovenPerAddressMax?: number;
}

const IDENTIFY_MS = 5_000;
/** Frames of one agent that may wait; a well-behaved one has at most a handful under way. */
const QUEUED_MAX = 64;
/** Maps of agents that left, kept so that coming back costs a delta and not a map. */
const RECENT_MAX = 1_000;
const TOUCH_MS = 60_000;
const ACK_POLL_MS = 5;

/** Starts to listen to the store; `close` ends that. */
export function createSyncHub(ctx: ManagementContext, options: SyncHubOptions = {}): SyncHub {
  return new Hub(ctx, options);
}

type Socket = ServerWebSocket<SocketData>;
type PeerName = Pick<PeerRow, "id" | "accountId" | "name">;
type Identify = Extract<AgentMessage, { type: "identify" }>;

class Hub implements SyncHub {
  readonly #ctx: ManagementContext;
  readonly #options: SyncHubOptions;
  readonly #links = new Map<PeerId, AgentLink>();
  readonly #byAccount = new Map<AccountId, Set<AgentLink>>();
  readonly #recent = new Map<PeerId, NetworkMap>();
  readonly #unproven: Headcount;
  readonly #clones: ReturnType<typeof createCloneWatch>;
  readonly #stopListening: () => void;
  readonly #touchTimer: ReturnType<typeof setInterval>;
  #isClosed = false;
  #approvals: Approvals | null = null;
  readonly websocket: WebSocketHandler<SocketData>;

  constructor(ctx: ManagementContext, options: SyncHubOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#clones = createCloneWatch(ctx.clock);
    const { unprovenMax = 2048, unprovenPerAddressMax = 512 } = options;
    this.#unproven = createHeadcount(unprovenMax, unprovenPerAddressMax);
    this.#stopListening = ctx.store.onChange((accountId) => {
      for (const link of this.#byAccount.get(accountId) ?? []) link.refresh();
    });
    const { cluster } = ctx.store;
    cluster?.onTaken((link) => this.#onTaken(link));
    cluster?.onKill(({ peerId, connectionId, reason }) => {
      this.#links.get(peerId)?.send({ type: "kill", connectionId, reason });
    });
    this.#touchTimer = setInterval(() => void this.#touch(), TOUCH_MS);
    this.#touchTimer.unref();
    this.websocket = {
      maxPayloadLength: AGENT_PART_BYTES_MAX,
      backpressureLimit: MANAGEMENT_FRAME_BYTES_MAX,
      closeOnBackpressureLimit: true,
      idleTimeout: LINK_TIMEOUT_MS / 1000,
      sendPings: false,
      open: (socket) => this.#onOpen(socket),
      message: (socket, data) => this.#onFrame(socket, data),
      drain: (socket) => socket.data.link?.drained(),
      close: (socket) => this.#onClose(socket),
    };
  }

  upgrade(request: Request, server: Server<SocketData>): Response | undefined {
    const address = server.requestIP(request)?.address ?? "";
    const origin = request.headers.get("origin");
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return refusal(426, "this is where agents connect, by WebSocket");
    }
    // A page in somebody's browser has no business here.
    if (origin !== null && origin !== this.#ctx.origin) return refusal(403, "not from a browser");
    if (this.#isClosed) return refusal(503, "management is stopping");
    if (this.#unproven.isFull(address)) return refusal(503, "too many connections");
    const data: SocketData = {
      kind: "agent-sync",
      sourceAddress: address,
      wantedAccountId: new URL(request.url).searchParams.get("account"),
      challenge: randomBytes(32).toString("base64url"),
      accountId: "",
      timer: null,
      link: null,
      queued: 0,
      handling: Promise.resolve(),
      parts: createAgentParts(),
    };
    return server.upgrade(request, { data }) ? undefined : refusal(400, "not a WebSocket request");
  }

  isConnected(peerId: PeerId): boolean {
    return this.#links.has(peerId) || this.#ctx.store.cluster?.find(peerId) !== undefined;
  }

  async waitForAck(peerId: PeerId, version: number, timeoutMs: number): Promise<void> {
    const { clock, store } = this.#ctx;
    const endMs = clock.monotonicMs() + timeoutMs;
    while (clock.monotonicMs() < endMs) {
      const link = this.#links.get(peerId) ?? store.cluster?.find(peerId);
      if (link === undefined || link.ackedVersion >= version) return;
      await Bun.sleep(ACK_POLL_MS);
    }
  }

  sessions(accountId: AccountId): PeerSession[] {
    const elsewhere = this.#ctx.store.cluster?.list(accountId) ?? [];
    return [...(this.#byAccount.get(accountId) ?? []), ...elsewhere].flatMap(({ peerId, sessions }) =>
      sessions.map((session) => ({ peerId, session })),
    );
  }

  kill(peerId: PeerId, connectionId: string, reason: string): boolean {
    const link = this.#links.get(peerId);
    if (link === undefined) {
      return this.#ctx.store.cluster?.kill({ peerId, connectionId, reason }) === true;
    }
    link.send({ type: "kill", connectionId, reason });
    return true;
  }

  serveApprovals(approvals: Approvals): void {
    this.#approvals = approvals;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    clearInterval(this.#touchTimer);
    const bye = { code: "restarting", message: "management is restarting", retry: true };
    for (const link of [...this.#links.values()]) link.bye(bye);
    await this.#touch().catch(() => {});
  }

  #onOpen(socket: Socket): void {
    const { data } = socket;
    this.#unproven.enter(data.sourceAddress);
    data.timer = setTimeout(() => socket.close(), this.#options.identifyMs ?? IDENTIFY_MS);
    this.#enqueue(socket, () => this.#welcome(socket));
  }

  async #welcome(socket: Socket): Promise<void> {
    const { store, origin, clock } = this.#ctx;
    const accounts = await store.read(listAccounts);
    const wanted = accounts.find(({ id }) => id === socket.data.wantedAccountId);
    const account = wanted ?? accounts[0];
    if (account === undefined) return this.#end(socket, "unavailable", "management is not set up yet");
    socket.data.accountId = account.id;
    send(socket, {
      type: "welcome",
      protocolVersion: PROTOCOL_VERSION,
      accountId: account.id,
      origin,
      challenge: socket.data.challenge,
      nowMs: Math.round(clock.nowMs()),
    });
  }

  #onFrame(socket: Socket, frame: string | Buffer): void {
    const whole = typeof frame === "string" ? takePart(socket.data, frame) : undefined;
    if (whole === null) return;
    const parsed = whole === undefined ? undefined : AgentMessage.safeParse(parseJson(whole));
    if (parsed?.success !== true) {
      this.#end(socket, "bad_message", "that was no message of an agent");
      return;
    }
    const message = parsed.data;
    // Answered out of turn: it says that the link is alive, not that everything is done.
    if (message.type === "ping" && socket.data.link !== null) {
      const nowMs = Math.round(this.#ctx.clock.nowMs());
      socket.data.link.send({ type: "pong", sentMs: message.sentMs, nowMs });
    } else {
      this.#enqueue(socket, () => this.#onMessage(socket, message));
    }
  }

  /** Handles one after the other what one agent sends. */
  #enqueue(socket: Socket, task: () => Promise<void>): void {
    const { data } = socket;
    if (data.queued >= QUEUED_MAX) {
      this.#end(socket, "too_fast", "too many messages at once");
      return;
    }
    data.queued += 1;
    data.handling = data.handling
      .then(task)
      .catch((cause: unknown) => {
        if (!this.#isClosed) this.#ctx.log.error("a message of an agent could not be handled", {}, cause);
        this.#end(socket, "unavailable", "management can not take that now");
      })
      .finally(() => {
        data.queued -= 1;
      });
  }

  async #onMessage(socket: Socket, message: AgentMessage): Promise<void> {
    const { link } = socket.data;
    if (message.type === "identify") {
      if (link !== null) return this.#end(socket, "bad_message", "already identified");
      return await this.#onIdentify(socket, message);
    }
    if (link === null) return this.#end(socket, "bad_message", "not identified");
    switch (message.type) {
      case "ack":
        link.ackedVersion = message.version;
        return this.#announce(link);
      case "audit": {
        const reporting = { id: link.peerId, accountId: link.accountId, name: link.name };
        const through = await ingestAgentEvents(this.#ctx.store, reporting, message.events);
        if (through === undefined) return link.refresh(); // Gone: the refresh says so.
        return link.send({ type: "audit_ack", throughSeq: through });
      }
      case "sessions":
        link.sessions = message.sessions;
        return this.#announce(link);
      case "flags":
        return await storeFlags(this.#ctx.store, link, message);
      case "need_map":
        link.sent = null;
        return link.refresh();
      case "approval_open":
      case "approval_claim":
      case "approval_close":
        return await answerApproval(this.#ctx.log, this.#approvals, { link, message });
      case "leaving":
        return link.close();
      case "ping":
        return;
    }
  }

  async #onIdentify(socket: Socket, identify: Identify): Promise<void> {
    const { store, log } = this.#ctx;
    const { data } = socket;
    const peer = await store.read((tx) => findPeerById(tx, identify.peerId));
    if (peer === undefined || peer.kind !== "machine" || peer.accountId !== data.accountId) {
      this.#end(socket, "peer_unknown", "this machine is not part of the account", false);
      return;
    }
    if (!this.#isProven(peer, identify, data.challenge)) {
      log.warn("an agent's proof of its device key is wrong", { peerId: identify.peerId });
      this.#end(socket, "proof_refused", "the proof of the device key is wrong");
      return;
    }
    await storeReport(this.#ctx, peer, identify, data.sourceAddress);
    if (socket.readyState !== WebSocket.OPEN || this.#isClosed) return;
    this.#proven(socket);
    const link = this.#openLink(socket, peer, identify);
    log.info("agent connected", { peerId: peer.id, name: peer.name });
    if (identify.nextAuditSeq < peer.nextAuditSeq) {
      link.send({ type: "audit_ack", throughSeq: peer.nextAuditSeq - 1 });
    }
    link.refresh();
  }

  #isProven(peer: PeerRow, { peerId, bootId, signature }: Identify, challenge: string): boolean {
    const scope = { accountId: peer.accountId, origin: this.#ctx.origin };
    return verifyEd25519(
      peer.deviceKey,
      signedBytes("sync", scope, { challenge, peerId, bootId }),
      signature,
    );
  }

  /** The newer link wins: the older is most often dead, and if it is not, somebody copied a key. */
  #openLink(socket: Socket, peer: PeerRow, identify: Identify): AgentLink {
    const { maps, log } = this.#ctx;
    const { epoch, version, bootId } = identify;
    const recent = this.#recent.get(peer.id);
    const link = createLink({
      socket,
      accountId: peer.accountId,
      peerId: peer.id,
      name: peer.name,
      bootId,
      known: recent?.epoch === epoch && recent.version === version ? recent : null,
      position: { epoch, version },
      mapOf: () => maps.mapOf(peer.accountId, peer.id),
      onFailure: (cause) => {
        if (!this.#isClosed) log.error("a map could not be made", { peerId: peer.id }, cause);
      },
    });
    const old = this.#links.get(peer.id);
    this.#links.set(peer.id, link);
    socket.data.link = link;
    const ofAccount = this.#byAccount.get(peer.accountId) ?? new Set();
    this.#byAccount.set(peer.accountId, ofAccount.add(link));
    const elsewhere = this.#ctx.store.cluster?.find(peer.id);
    if (old !== undefined) this.#supersede(old, peer, bootId);
    else if (elsewhere !== undefined && elsewhere.bootId !== bootId) {
      // Remembered only: the process that loses its link is the one that reports.
      this.#clones.superseded(peer.id, elsewhere.bootId, bootId);
    }
    this.#announce(link);
    return link;
  }

  /** Tells the other processes what is here now. */
  #announce(link: AgentLink): void {
    if (this.#links.get(link.peerId) !== link) return;
    const { accountId, peerId, bootId, ackedVersion, sessions } = link;
    this.#ctx.store.cluster?.announce({ accountId, peerId, bootId, ackedVersion, sessions });
  }

  /** The agent is at another process now: what is left of it here is dead, or a copy's. */
  #onTaken({ peerId, accountId, bootId }: LinkState): void {
    const old = this.#links.get(peerId);
    if (old === undefined) return;
    this.#links.delete(peerId);
    this.#supersede(old, { id: peerId, accountId, name: old.name }, bootId);
  }

  #supersede(old: AgentLink, peer: PeerName, bootId: string): void {
    this.#byAccount.get(old.accountId)?.delete(old);
    if (old.bootId === bootId) {
      old.close();
      return;
    }
    const message = "another agent with this machine's key has connected: clone suspected";
    old.bye({ code: "clone_suspected", message, retry: true });
    if (!this.#clones.superseded(peer.id, old.bootId, bootId)) return;
    this.#ctx.log.warn("two agents use one device key", { peerId: peer.id, name: peer.name });
    recordClone(this.#ctx, peer).catch((cause: unknown) =>
      this.#ctx.log.error("an audit event could not be stored", {}, cause),
    );
  }

  #onClose(socket: Socket): void {
    this.#proven(socket);
    const { link } = socket.data;
    if (link === null) return;
    link.close();
    this.#byAccount.get(link.accountId)?.delete(link);
    if (this.#links.get(link.peerId) !== link) return;
    this.#links.delete(link.peerId);
    this.#ctx.store.cluster?.withdraw(link.peerId);
    if (link.sent !== null) {
      this.#recent.delete(link.peerId);
      this.#recent.set(link.peerId, link.sent);
      const [oldest] = this.#recent.keys();
      if (this.#recent.size > RECENT_MAX && oldest !== undefined) this.#recent.delete(oldest);
    }
    this.#ctx.log.info("agent disconnected", { peerId: link.peerId });
    this.#touch([link]).catch(() => {});
  }

  /** No longer counts as unproven, whichever way that ended. */
  #proven({ data }: Socket): void {
    if (data.timer === null) return;
    clearTimeout(data.timer);
    data.timer = null;
    this.#unproven.leave(data.sourceAddress);
  }

  #end(socket: Socket, code: string, message: string, retry = true): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    send(socket, { type: "bye", code, message, retry });
    socket.close();
  }

  async #touch(links: Iterable<AgentLink> = this.#links.values()): Promise<void> {
    await touchPeers(this.#ctx.store, [...links]).catch((cause: unknown) => {
      if (!(cause instanceof QfError && this.#isClosed)) {
        this.#ctx.log.warn("the time an agent was last seen could not be stored", {}, cause);
      }
    });
  }
}

/** A message that is whole; null: it goes on. Undefined: too large, or in parts from who has not proven anything. */
function takePart({ link, parts }: SocketData, part: string): string | null | undefined {
  const whole = parts.take(part);
  return whole === null && link === null ? undefined : whole;
}

function send(socket: Socket, message: unknown): void {
  socket.send(JSON.stringify(message));
}

function refusal(status: number, message: string): Response {
  return Response.json({ code: status, message, error: "ERR_UNAVAILABLE" }, { status });
}
