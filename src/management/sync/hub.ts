/**
 * Management's end of every agent's control WebSocket, `GET /agent/v1/sync`. It asks each agent for proof,
 * keeps one link per peer, sends changes of its map, and takes in its audit events.
 *
 * `wire/agent-sync.ts` has the messages. `handshake.ts` admits agents, `link-table.ts` knows which are
 * connected, and `link.ts` sends. Read `#onMessage` first.
 *
 * @module
 */
import type { Server, ServerWebSocket, WebSocketHandler } from "bun";
import { parseJson } from "../../base/files.ts";
import { randomUpTo } from "../../base/random.ts";
import { AgentMessage } from "../../wire/agent-sync.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import type { UpgradeOrder } from "../../wire/upgrade-report.ts";
import { changedPeople } from "../contracts/changed-people.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { PeerRow } from "../db/tables/peers.ts";
import type { Approvals } from "../login/approval.ts";
import { createMapEncoder } from "../maps/encode.ts";
import { takeUpgradeReport } from "../rollouts/rollouts.ts";
import { refusal, refusalOfUpgrade } from "../web/upgrade.ts";
import { answerApproval } from "./approvals.ts";
import { AuditIntake, tellOfEvents } from "./audit-intake.ts";
import { createHandshake, type Handshake, type Identify } from "./handshake.ts";
import { createKeyedSemaphore, type KeyedSemaphore } from "./keyed-semaphore.ts";
import { type AgentLink, createLink, newSocketData, type SocketData } from "./link.ts";
import { LinkTable } from "./link-table.ts";
import { LogFeed } from "./log-feed.ts";
import { storeFlags } from "./report-store.ts";
import type { PeerSession, PresenceListener, SyncHub, SyncHubOptions } from "./sync-hub.ts";

/** Most queued messages of one agent; a well-behaved one has a handful. */
const QUEUED_MAX = 64;
/** Default for whole maps being sent at once. */
const WHOLE_MAPS_MAX = 32;
/** Agents asked at once what they have. Each costs an outline: at most 160 kB, mostly less than 1 kB. */
const ASKED_MAX = 1_024;
/**
 * Links that wait to be sent a whole map, and for how long. The time is less than an agent waits for a silent
 * management.
 */
const WHOLE_WAITING_MAX = 4_096;
const WHOLE_WAIT_MS_MAX = 5_000;

/** Subscribes to the store until `close`. */
export function createSyncHub(ctx: ManagementContext, options: SyncHubOptions = {}): SyncHub {
  return new Hub(ctx, options);
}

type Socket = ServerWebSocket<SocketData>;

class Hub implements SyncHub {
  readonly #ctx: ManagementContext;
  readonly #links: LinkTable;
  readonly #handshake: Handshake;
  readonly #audit: AuditIntake;
  readonly #log: LogFeed;
  readonly #wholeMaps: KeyedSemaphore;
  readonly #asking = createKeyedSemaphore({
    inMax: ASKED_MAX,
    waitingMax: ASKED_MAX,
    waitMsMax: WHOLE_WAIT_MS_MAX,
  });
  readonly #encoder = createMapEncoder();
  #isClosed = false;
  #hasWarnedOfAhead = false;
  #approvals: Approvals | null = null;
  readonly websocket: WebSocketHandler<SocketData>;

  constructor(ctx: ManagementContext, options: SyncHubOptions) {
    this.#ctx = ctx;
    this.#links = new LinkTable(ctx);
    this.#audit = new AuditIntake(ctx, options.auditShareBytes);
    this.#log = new LogFeed(ctx);
    this.#handshake = createHandshake(ctx, options, {
      end: (socket, code, message, more) => this.#end(socket, code, message, more),
      linkCount: () => this.#links.size,
    });
    this.#wholeMaps = createKeyedSemaphore({
      inMax: options.wholeMapsMax ?? WHOLE_MAPS_MAX,
      waitingMax: WHOLE_WAITING_MAX,
      waitMsMax: WHOLE_WAIT_MS_MAX,
    });
    this.websocket = {
      open: (socket) => this.#enqueue(socket, () => this.#handshake.open(socket)),
      message: (socket, data) => this.#onFrame(socket, data),
      drain: (socket) => socket.data.link?.drained(),
      close: (socket) => this.#onClose(socket),
    };
  }

  get isOpen(): boolean {
    return !this.#isClosed;
  }

  upgrade(request: Request, server: Server<unknown>, sourceAddress: string): Response | undefined {
    const refused = refusalOfUpgrade(request, { clients: "agents", ownOrigin: this.#ctx.origin });
    if (refused !== null) return refused;
    if (this.#isClosed) return refusal(503, "management is stopping");
    if (this.#handshake.isOverrun) return refusal(503, "too many connections");
    const wantedAccountId = new URL(request.url).searchParams.get("account");
    const data = newSocketData(sourceAddress, wantedAccountId);
    return server.upgrade(request, { data }) ? undefined : refusal(400, "not a WebSocket request");
  }

  isConnected(peerId: PeerId): boolean {
    return this.#links.isConnected(peerId);
  }

  waitForAck(peerId: PeerId, version: number, timeoutMs: number): Promise<void> {
    return this.#links.waitForAck(peerId, version, timeoutMs);
  }

  sessions(accountId: AccountId): PeerSession[] {
    return this.#links.sessions(accountId);
  }

  onPresence(listener: PresenceListener): () => void {
    return this.#links.onPresence(listener);
  }

  kill(peerId: PeerId, connectionId: string, reason: string): boolean {
    return this.#links.kill(peerId, connectionId, reason);
  }

  order(peerId: PeerId, order: UpgradeOrder): void {
    this.#links.order(peerId, order);
  }

  serveApprovals(approvals: Approvals): void {
    this.#approvals = approvals;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#handshake.close();
    this.#wholeMaps.close();
    this.#asking.close();
    this.#log.close();
    const { spreadMs } = this.#handshake;
    await this.#links.close(() => randomUpTo(spreadMs));
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
    // Answered ahead of the queue: a pong says that the link is alive, not that everything was handled.
    if (message.type === "ping" && socket.data.link !== null) {
      const nowMs = Math.round(this.#ctx.clock.nowMs());
      const { spreadMs } = this.#handshake;
      const held = this.#audit.isHeldBack(socket.data.link.peerId) ? { auditHeld: true } : {};
      socket.data.link.send({ type: "pong", sentMs: message.sentMs, nowMs, spreadMs, ...held });
    } else {
      this.#enqueue(socket, () => this.#onMessage(socket, message));
    }
  }

  /** Handles one agent's messages one after the other. */
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
        this.#end(socket, "unavailable", "management cannot take that now");
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
        link.acknowledge(message.version);
        return this.#links.announce(link);
      case "audit":
        await this.#audit.take(link, message);
        return this.#log.uploaded(link);
      case "log_at":
      case "log_ask":
        return await this.#log.take(link, message);
      case "sessions": {
        const people = changedPeople(link.sessions, message.sessions);
        link.sessions = message.sessions;
        return this.#links.announce(link, people);
      }
      case "flags":
        return await storeFlags(this.#ctx.store, link, message);
      case "need_map":
        return link.needWhole();
      case "differences":
        return link.differ(message.differences);
      case "approval_open":
      case "approval_claim":
      case "approval_close":
        return await answerApproval(this.#ctx.log, this.#approvals, { link, message });
      case "upgrade_state":
        return await takeUpgradeReport(this.#ctx, link, message);
      case "leaving":
        return link.close();
      case "ping":
        return;
    }
  }

  async #onIdentify(socket: Socket, identify: Identify): Promise<void> {
    const peer = await this.#handshake.identify(socket, identify);
    if (peer === undefined || this.#isClosed) return;
    const link = this.#openLink(socket, peer, identify);
    this.#ctx.log.info("agent connected", { peerId: peer.id, name: peer.name });
    tellOfEvents(link, { theirs: identify.nextAuditSeq, ours: peer.nextAuditSeq });
    link.refresh();
  }

  /** Logged once, since after a restored backup every machine is ahead. */
  #warnOfAhead(peerId: PeerId, name: string): void {
    if (this.#hasWarnedOfAhead) return;
    this.#hasWarnedOfAhead = true;
    this.#ctx.log.error(
      "machines have newer maps than this database and refuse ours: " +
        "after a backup, run qf management new-epoch",
      { peerId, name },
    );
  }

  #openLink(socket: Socket, peer: PeerRow, identify: Identify): AgentLink {
    const { maps, log } = this.#ctx;
    const { id: peerId, accountId, name } = peer;
    const { epoch, version, digest, sections, bootId } = identify;
    const isForeign = peer.mapVersion === version && peer.mapDigest !== digest;
    const link = createLink({
      socket,
      accountId,
      peerId,
      name,
      bootId,
      position: { epoch, version, digest, sections, isForeign },
      encoder: this.#encoder,
      wholeMaps: this.#wholeMaps,
      asking: this.#asking,
      retryAfterMs: () => this.#handshake.retryAfterMs(),
      mapOf: (isFirst) => (isFirst ? maps.mapOf(accountId, peerId) : maps.knownMapOf(accountId, peerId)),
      onAhead: () => this.#warnOfAhead(peerId, name),
      onFirst: () => this.#handshake.serve(socket),
      onFailure: (cause) => {
        if (!this.#isClosed) log.error("a map could not be made", { peerId }, cause);
      },
    });
    socket.data.link = link;
    this.#links.add(link, { id: peerId, accountId, name });
    return link;
  }

  #onClose(socket: Socket): void {
    this.#handshake.settle(socket);
    const { link } = socket.data;
    if (link === null) return;
    this.#log.remove(link);
    this.#links.remove(link);
  }

  #end(
    socket: Socket,
    code: string,
    message: string,
    { retry = true, retryAfterMs }: { retry?: boolean; retryAfterMs?: number } = {},
  ): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ type: "bye", code, message, retry, retryAfterMs }));
    socket.close();
  }
}

/**
 * The message once it is whole. Null: more parts are to come. Undefined: it is too large, or in parts from an
 * agent that has not proven itself.
 */
function takePart({ link, parts }: SocketData, part: string): string | null | undefined {
  const whole = parts.take(part);
  return whole === null && link === null ? undefined : whole;
}
