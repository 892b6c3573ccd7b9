/**
 * The relay: pairs a client's socket with a machine's link and passes SSH ciphertext both ways, which it
 * cannot read.
 *
 * `admission-http.ts` and `admission.ts` admit peers. `streams.ts` and `stream-credit.ts` hold each stream to
 * its credit. `send-queue.ts` bounds what waits for slow readers. `wire/relay.ts` has the frames. Read `dial`
 * first, then `#onMessage`.
 *
 * @module
 */
import type { Server, ServerWebSocket, WebSocketHandler } from "bun";
import {
  decodeRelayFrame,
  encodeRelayFrame,
  RELAY_FRAME,
  type RelayOpen,
  type RelayReset,
} from "../../wire/relay.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import type { ManagementContext } from "../contracts/context.ts";
import { refusal } from "../web/upgrade.ts";
import {
  type Admission,
  type AdmittedAgent,
  type AdmittedDial,
  claimOf,
  createAdmission,
  type DialClaim,
} from "./admission.ts";
import { type CheckedDial, createGate, type DialCheck, type Gate, peerOf } from "./admission-http.ts";
import { RELAY_LIMITS, type RelayLimits, WAITING_BYTES_PER_CLIENT_MAX } from "./limits.ts";
import { PageStreams } from "./page-streams.ts";
import type { PlainHost } from "./plain-listener.ts";
import { startRechecking } from "./recheck.ts";
import type { AgentLink, AskedSocket, PageDial, RelayHub, RelaySocketData } from "./relay-hub.ts";
import { nextId, RetiredLinks } from "./retired-links.ts";
import { PeerBudget, type QueueSocket, SendQueue, turnAway, type Waiting } from "./send-queue.ts";
import { createStreams, type RelayedStream, type Stream, type StreamEnd, type Streams } from "./streams.ts";
import type { StreamSource, TunnelHost } from "./tunnel.ts";
import type { Tunnels } from "./tunnels.ts";

type Socket = ServerWebSocket<RelaySocketData>;

/**
 * The relay of this process. Follows the store until `close`, so that a stream ends when no rule permits it
 * any more.
 */
export function createRelayHub(context: ManagementContext, limits: Partial<RelayLimits> = {}): RelayHub {
  return new Hub(context, { ...RELAY_LIMITS, ...limits });
}

class Hub implements RelayHub {
  readonly #context: ManagementContext;
  readonly #limits: RelayLimits;
  readonly #admission: Admission;
  readonly #gate: Gate;
  readonly #links = new Map<PeerId, AgentLink>();
  readonly #retired = new RetiredLinks();
  readonly #streams: Streams;
  readonly #waiting: Waiting;
  readonly #budget: PeerBudget;
  readonly #stopRechecking: () => void;
  readonly #pages: PageStreams;
  #tunnels: Tunnels | null = null;
  #isClosed = false;
  readonly websocket: WebSocketHandler<RelaySocketData>;
  readonly host: TunnelHost;
  readonly plainHost: PlainHost;

  constructor(context: ManagementContext, limits: RelayLimits) {
    const { clock, log } = context;
    this.#context = context;
    this.#limits = limits;
    this.#admission = createAdmission(context);
    this.#gate = createGate({ clock, admission: this.#admission, perDeviceMax: limits.streamsPerSourceMax });
    this.#streams = createStreams({ clock, log, limits });
    this.#pages = new PageStreams((stream) => this.#streams.end(stream, "signed_out"));
    this.#waiting = { bytes: 0, bytesMax: limits.waitingBytesMax };
    this.#budget = new PeerBudget(this.#waiting);
    this.#stopRechecking = startRechecking({
      store: context.store,
      log,
      admission: this.#admission,
      streams: this.#streams,
      recheckMs: limits.recheckMs,
      linked: () => [...this.#links.keys(), ...this.#retired.all().map(({ peerId }) => peerId)],
      unlink: (peerId) => this.#unlink(peerId, this.#retired.of(peerId)),
    });
    context.store.cluster?.relayLinks.onTaken((peerId) => this.#unlink(peerId));
    this.host = {
      streams: this.#streams,
      waiting: this.#waiting,
      waitingBytesPerTunnelMax: limits.waitingBytesPerTunnelMax,
      admit: (claim) => this.#gate.dial(claim),
      connect: (source, client, dial) => this.#connect(source, client, dial),
    };
    this.plainHost = {
      ...{ clock, log, streams: this.#streams },
      check: (claim) => this.#checkDial(claim),
      enter: (check, socket, bytes) => this.#queueTo(check, socket, bytes),
      leave: (check) => this.#budget.leave(peerOf(check)),
      open: (source, client, check) => {
        const opened = check.ok && "dial" in check ? this.#openStream(source, client, check) : "unproven";
        return typeof opened === "string" ? null : opened;
      },
    };
    this.websocket = {
      open: (socket) => this.#onOpen(socket),
      message: (socket, message) => this.#onMessage(socket, message),
      drain: (socket) => socket.data.sendQueue?.count(),
      close: (socket) => this.#onClose(socket),
    };
  }

  async dial(request: Request, server: Server<unknown>, address: string): Promise<Response | undefined> {
    const check = (headers: Headers) => this.#checkDial(claimOf(headers));
    return this.#admit("relay-client", { request, server, address }, check);
  }

  async dialFromPage(
    request: Request,
    server: Server<unknown>,
    address: string,
    page: PageDial,
  ): Promise<Response | undefined> {
    const check = () => this.#checkDial(page.claim);
    return this.#admit("relay-client", { request, server, address, page }, check);
  }

  async serve(request: Request, server: Server<unknown>, address: string): Promise<Response | undefined> {
    return this.#admit("relay-agent", { request, server, address }, this.#gate.serve);
  }

  join(tunnels: Tunnels): void {
    this.#tunnels = tunnels;
  }

  hasLink(peerId: PeerId): boolean {
    return this.#links.has(peerId);
  }

  streams(accountId: AccountId): RelayedStream[] {
    return this.#streams.list(accountId);
  }

  load() {
    return { streams: this.#streams.size, links: this.#links.size, waitingBytes: this.#waiting.bytes };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pages.stop();
    this.#stopRechecking();
    for (const stream of [...this.#streams]) this.#streams.end(stream, "closing");
    for (const { sendQueue } of [...this.#links.values(), ...this.#retired.all()]) sendQueue.close();
    await this.#tunnels?.close();
  }

  async #admit(
    kind: RelaySocketData["kind"],
    { request, server, address: sourceAddress, page }: AskedSocket,
    check: (headers: Headers) => Promise<DialCheck>,
  ): Promise<Response | undefined> {
    if (this.#isClosed) return refusal(503, "management is stopping");
    const ownOrigin = page === undefined ? null : request.headers.get("origin");
    return this.#gate.pass({ request, sourceAddress, ownOrigin }, check, (check) => {
      const sourcePort = server.requestIP(request)?.port ?? 0;
      const data: RelaySocketData = {
        ...{ kind, sourceAddress, sourcePort, check, page: page?.session ?? null },
        ...{ sendQueue: null, stream: null, link: null },
      };
      const headers = page === undefined ? {} : { "sec-websocket-protocol": page.protocol };
      return server.upgrade(request, { data, headers });
    });
  }

  /** Reaches the machine before the client's socket opens, because its first frame may follow at once. */
  async #checkDial(claim: DialClaim): Promise<DialCheck> {
    const dial = await this.#gate.dial(claim);
    if (!dial.ok) return dial;
    const { source, target } = dial.hello;
    if (this.#tunnels === null || this.#links.has(target)) return { ok: true, dial, tunnel: null };
    const tunnel = await this.#tunnels.reach(dial.accountId, target);
    return typeof tunnel === "string" ? { ok: false, reset: tunnel, source } : { ok: true, dial, tunnel };
  }

  #onOpen(socket: Socket): void {
    const { check } = socket.data;
    const sendQueue = this.#queueTo(check, socket);
    socket.data.sendQueue = sendQueue;
    if (!check.ok) turnAway(sendQueue, check.reset);
    else if ("agent" in check) socket.data.link = this.#openLink(sendQueue, check.agent);
    else {
      const client = { sendQueue, id: 0, carrier: null };
      const opened = this.#openStream(socket.data, client, check);
      if (typeof opened === "string") turnAway(sendQueue, opened);
      else {
        socket.data.stream = opened;
        if (socket.data.page !== null) this.#pages.add(opened, socket.data.page);
      }
    }
  }

  #queueTo(check: DialCheck, socket: QueueSocket, moreBytes = 0): SendQueue {
    const isAgent = check.ok && "agent" in check;
    const bytesMax = isAgent ? this.#limits.waitingBytesPerAgentMax : WAITING_BYTES_PER_CLIENT_MAX;
    return new SendQueue(socket, this.#budget.enter(peerOf(check)), bytesMax + moreBytes);
  }

  #openStream(source: StreamSource, client: StreamEnd, { dial, tunnel }: CheckedDial): Stream | RelayReset {
    return tunnel?.open(source, client, dial) ?? this.#connect(source, client, dial);
  }

  /** The newer link wins. The older one is usually dead, unless the newer says that it is still in use. */
  #openLink(sendQueue: SendQueue, { accountId, peerId, isBeside }: AdmittedAgent): AgentLink {
    const old = this.#links.get(peerId);
    const link: AgentLink = { sendQueue, accountId, peerId, streams: new Map(), lastStreamId: 0 };
    this.#links.set(peerId, link);
    const over = old !== undefined && isBeside ? this.#retired.add(old) : old;
    if (over !== undefined) this.#dropLink(over);
    this.#context.store.cluster?.relayLinks.announce(accountId, peerId);
    return link;
  }

  #connect(
    { sourceAddress, sourcePort }: StreamSource,
    client: StreamEnd,
    dial: AdmittedDial,
  ): Stream | RelayReset {
    const { source, target } = dial.hello;
    const link = this.#links.get(target);
    if (link === undefined || link.accountId !== dial.accountId) return "absent";
    const isFull = link.streams.size >= this.#limits.streamsPerAgentMax || link.sendQueue.isCrowded;
    if (isFull || this.#streams.isFull(source)) return "limit";
    const id = nextId(link);
    const open: RelayOpen = { hello: dial.line, sourceAddress: sourceAddress.slice(0, 64), sourcePort };
    link.sendQueue.send(encodeRelayFrame(RELAY_FRAME.open, id, Buffer.from(JSON.stringify(open))));
    const agent = { sendQueue: link.sendQueue, id, carrier: link };
    return this.#streams.open({ dial, sourceAddress, client, agent });
  }

  #onMessage(socket: Socket, message: string | Buffer): void {
    const { sendQueue, link, stream } = socket.data;
    const frame = decodeRelayFrame(message);
    if (frame === undefined || frame.type === RELAY_FRAME.open) {
      this.#violated(socket);
      return;
    }
    if (frame.type === RELAY_FRAME.ping) {
      // A peer that does not read the answers gets none.
      if (sendQueue?.canSend(message.length)) sendQueue.send(encodeRelayFrame(RELAY_FRAME.pong, 0));
      return;
    }
    if (frame.type === RELAY_FRAME.pong) return;
    if (link !== null) {
      const one = link.streams.get(frame.streamId);
      // The stream may have ended while this frame was in flight.
      if (one !== undefined) this.#streams.pass(one, "agent", frame, message as Buffer);
    } else if (stream !== null) {
      if (frame.streamId === 0) this.#streams.pass(stream, "client", frame, message as Buffer);
      else this.#violated(socket);
    }
  }

  #violated(socket: Socket): void {
    const { stream, link } = socket.data;
    this.#context.log.warn("a relay socket broke the rules", { kind: socket.data.kind });
    if (stream !== null) this.#streams.end(stream, "violation");
    if (link !== null) this.#dropLink(link);
    socket.close();
  }

  #onClose(socket: Socket): void {
    const { stream, link, sendQueue, check } = socket.data;
    if (sendQueue !== null) {
      sendQueue.closed();
      this.#budget.leave(peerOf(check));
    }
    if (stream !== null) this.#streams.end(stream, "gone", "client");
    if (link !== null) this.#endLink(link);
  }

  #unlink(peerId: PeerId, retired: readonly AgentLink[] = []): void {
    for (const link of [this.#links.get(peerId), ...retired]) if (link !== undefined) this.#dropLink(link);
  }

  #dropLink(link: AgentLink): void {
    this.#endLink(link);
    link.sendQueue.close();
  }

  #endLink(link: AgentLink): void {
    for (const stream of [...link.streams.values()]) this.#streams.end(stream, "gone", "agent");
    this.#retired.delete(link);
    if (this.#links.get(link.peerId) !== link) return;
    this.#links.delete(link.peerId);
    this.#context.store.cluster?.relayLinks.withdraw(link.peerId);
  }
}
