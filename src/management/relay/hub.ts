/**
 * The relay: pairs a client's socket with a machine's link and passes SSH ciphertext on, both ways.
 *
 * Who may come is `admission.ts`, what a stream may carry is `ledger.ts`. What waits here for a slow reader
 * is bounded by credit for each stream, and in bytes for each socket and for all. Nothing that passes is
 * looked at. Shapes: `wire/relay.ts`. Read `dial` first, then `#onFrame`.
 *
 * @module
 */
import type { Server, ServerWebSocket, WebSocketHandler } from "bun";
import { RELAY_STREAMS_MAX } from "../../fabric/relay-client.ts";
import { createSourceLimits, type SourceLimits } from "../../fabric/source-limits.ts";
import {
  decodeRelayFrame,
  encodeRelayFrame,
  RELAY_CREDIT_MAX,
  RELAY_FRAME,
  type RelayFrame,
  type RelayOpen,
  type RelayReset,
  resetFrame,
} from "../../wire/relay.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import type { ManagementContext } from "../context.ts";
import { type AdmittedAgent, type AdmittedDial, createAdmission } from "./admission.ts";
import { createLedger, type Ledger, type RelayEnd } from "./ledger.ts";

export interface RelayLimits {
  /** Streams in total, of one dialling device, and to one machine. Default 16384, 256, 2048. */
  readonly streamsMax: number;
  readonly streamsPerSourceMax: number;
  readonly streamsPerAgentMax: number;
  /** Bytes that may wait for all readers together, and for one machine. Default 256 MB and 64 MB. */
  readonly waitingBytesMax: number;
  readonly waitingBytesPerAgentMax: number;
  /** Milliseconds after a change in which machines end themselves what is no longer allowed. Default 3000. */
  readonly recheckMs: number;
}

const LIMITS: RelayLimits = {
  streamsMax: 16_384,
  streamsPerSourceMax: 256,
  streamsPerAgentMax: RELAY_STREAMS_MAX,
  waitingBytesMax: 256 * 1024 * 1024,
  waitingBytesPerAgentMax: 64 * 1024 * 1024,
  recheckMs: 3_000,
};
/** What may wait for one client: a window, and small frames beside it. */
const WAITING_BYTES_PER_CLIENT_MAX = RELAY_CREDIT_MAX + 256 * 1024;
/** A socket that was told to go gets this long to read why. */
const LINGER_MS = 1_000;
const SWEEP_MS = 60_000;

/** What a relay socket is, from its request on. */
export interface RelaySocketData {
  readonly kind: "relay-client" | "relay-agent";
  readonly sourceAddress: string;
  readonly sourcePort: number;
  /** Set for what it is; null for one that is only told why not. */
  readonly dial: AdmittedDial | null;
  readonly agent: AdmittedAgent | null;
  readonly refusal: RelayReset | null;
  stream: Stream | null;
  link: AgentLink | null;
  /** Bytes that wait to be read from us, as last counted. */
  waitingBytes: number;
}

type Socket = ServerWebSocket<RelaySocketData>;

interface AgentLink {
  readonly socket: Socket;
  readonly accountId: AccountId;
  readonly peerId: PeerId;
  readonly streams: Map<number, Stream>;
  lastStreamId: number;
}

interface Stream {
  readonly id: number;
  readonly link: AgentLink;
  readonly client: Socket;
  readonly dial: AdmittedDial;
  readonly ledger: Ledger;
  readonly startedMs: number;
  isOver: boolean;
}

/** One stream, for status and audit. */
export interface RelayedStream {
  readonly source: PeerId;
  readonly target: PeerId;
  readonly sourceAddress: string;
  readonly bytesFromClient: number;
  readonly bytesFromAgent: number;
  readonly durationMs: number;
}

export interface RelayHub {
  /** Answers a client's request. Undefined: it is a WebSocket now. */
  dial(request: Request, server: Server<unknown>, sourceAddress: string): Promise<Response | undefined>;
  /** Answers a machine's request for its link. */
  serve(request: Request, server: Server<unknown>, sourceAddress: string): Promise<Response | undefined>;
  readonly websocket: WebSocketHandler<RelaySocketData>;
  /** Whether the machine has a link to the relay here. */
  hasLink(peerId: PeerId): boolean;
  streams(accountId: AccountId): RelayedStream[];
  /** Streams and links open, and bytes that wait, all together. */
  load(): { readonly streams: number; readonly links: number; readonly waitingBytes: number };
  /** Tells all ends, then drops them. */
  close(): Promise<void>;
}

/** Listens to the store, so that a stream ends when its rule goes; `close` ends that. */
export function createRelayHub(context: ManagementContext, limits: Partial<RelayLimits> = {}): RelayHub {
  return new Hub(context, { ...LIMITS, ...limits });
}

class Hub implements RelayHub {
  readonly #context: ManagementContext;
  readonly #limits: RelayLimits;
  readonly #admission: ReturnType<typeof createAdmission>;
  /** Requests that are being looked at, and penalties, by address; devices that keep being refused. */
  readonly #sources: SourceLimits;
  readonly #devices: SourceLimits;
  readonly #links = new Map<PeerId, AgentLink>();
  readonly #streams = new Set<Stream>();
  readonly #perSource = new Map<PeerId, number>();
  readonly #stopListening: () => void;
  readonly #dirty = new Set<AccountId>();
  readonly #sweepTimer: ReturnType<typeof setInterval>;
  #recheckTimer: ReturnType<typeof setTimeout> | undefined;
  #waitingBytes = 0;
  #isClosed = false;
  readonly websocket: WebSocketHandler<RelaySocketData>;

  constructor(context: ManagementContext, limits: RelayLimits) {
    this.#context = context;
    this.#limits = limits;
    this.#admission = createAdmission(context);
    this.#sources = createSourceLimits(context.clock);
    this.#devices = createSourceLimits(context.clock, { perSourceMax: limits.streamsPerSourceMax });
    this.#stopListening = context.store.onChange((accountId) => {
      this.#dirty.add(accountId);
      this.#recheckTimer ??= setTimeout(() => void this.#recheck(), limits.recheckMs);
    });
    this.#sweepTimer = setInterval(() => {
      this.#sweepLinks().catch((cause) => context.log.warn("relay links not looked at", {}, cause));
    }, SWEEP_MS);
    this.#sweepTimer.unref();
    this.websocket = {
      open: (socket) => this.#onOpen(socket),
      message: (socket, message) => this.#onMessage(socket, message),
      drain: (socket) => void this.#count(socket),
      close: (socket) => this.#onClose(socket),
    };
  }

  async dial(request: Request, server: Server<unknown>, address: string): Promise<Response | undefined> {
    return this.#admit(request, server, address, "relay-client", async (headers) => {
      const admitted = await this.#admission.dial(headers);
      const source = admitted.ok ? admitted.hello.source : admitted.source;
      if (source !== null) {
        if (!this.#devices.enter(source)) return { ok: false, reset: "limit", source };
        this.#devices.leave(source, admitted.ok);
      }
      return admitted.ok ? { ok: true, dial: admitted, agent: null } : admitted;
    });
  }

  async serve(request: Request, server: Server<unknown>, address: string): Promise<Response | undefined> {
    return this.#admit(request, server, address, "relay-agent", async (headers) => {
      const admitted = await this.#admission.serve(headers);
      return admitted.ok ? { ok: true, dial: null, agent: admitted } : admitted;
    });
  }

  hasLink(peerId: PeerId): boolean {
    return this.#links.has(peerId);
  }

  streams(accountId: AccountId): RelayedStream[] {
    return [...this.#streams]
      .filter(({ dial }) => dial.accountId === accountId)
      .map((one) => this.#show(one));
  }

  load() {
    return { streams: this.#streams.size, links: this.#links.size, waitingBytes: this.#waitingBytes };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    clearInterval(this.#sweepTimer);
    clearTimeout(this.#recheckTimer);
    for (const stream of [...this.#streams]) this.#end(stream, "closing");
    for (const { socket } of [...this.#links.values()]) socket.close();
  }

  async #admit(
    request: Request,
    server: Server<unknown>,
    sourceAddress: string,
    kind: RelaySocketData["kind"],
    check: (headers: Headers) => Promise<Verdict>,
  ): Promise<Response | undefined> {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return refusal(426, "this is where peers connect, by WebSocket");
    }
    // A page in somebody's browser has no business here.
    if (request.headers.get("origin") !== null) return refusal(403, "not from a browser");
    if (this.#isClosed) return refusal(503, "management is stopping");
    if (!this.#sources.enter(sourceAddress)) return refusal(429, "too many requests");
    let verdict: Verdict = { ok: false, reset: "unproven", source: null };
    try {
      verdict = await check(request.headers);
    } finally {
      this.#sources.leave(sourceAddress, verdict.ok || verdict.source !== null);
    }
    // Nothing is kept open for somebody unproven, not even to say why.
    if (!verdict.ok && verdict.source === null) return refusal(401, "no registered device is proven");
    const data: RelaySocketData = {
      kind,
      sourceAddress,
      sourcePort: server.requestIP(request)?.port ?? 0,
      dial: verdict.ok ? verdict.dial : null,
      agent: verdict.ok ? verdict.agent : null,
      refusal: verdict.ok ? null : verdict.reset,
      stream: null,
      link: null,
      waitingBytes: 0,
    };
    return server.upgrade(request, { data }) ? undefined : refusal(400, "not a WebSocket request");
  }

  #onOpen(socket: Socket): void {
    const { dial, agent } = socket.data;
    if (agent !== null) this.#openLink(socket, agent);
    else if (dial !== null) this.#openStream(socket, dial);
    else this.#turnAway(socket, socket.data.refusal ?? "refused");
  }

  /** The newer link wins: the older is most often dead. */
  #openLink(socket: Socket, { accountId, peerId }: AdmittedAgent): void {
    const old = this.#links.get(peerId);
    const link: AgentLink = { socket, accountId, peerId, streams: new Map(), lastStreamId: 0 };
    socket.data.link = link;
    this.#links.set(peerId, link);
    if (old !== undefined) this.#dropLink(old);
  }

  #openStream(client: Socket, dial: AdmittedDial): void {
    const { source, target } = dial.hello;
    const link = this.#links.get(target);
    if (link === undefined || link.accountId !== dial.accountId) {
      this.#turnAway(client, "absent");
      return;
    }
    const ofSource = this.#perSource.get(source) ?? 0;
    const isFull =
      this.#streams.size >= this.#limits.streamsMax ||
      ofSource >= this.#limits.streamsPerSourceMax ||
      link.streams.size >= this.#limits.streamsPerAgentMax ||
      link.socket.data.waitingBytes >= this.#limits.waitingBytesPerAgentMax / 2;
    if (isFull) {
      this.#turnAway(client, "limit");
      return;
    }
    const id = nextId(link);
    const startedMs = this.#context.clock.monotonicMs();
    const stream: Stream = { id, link, client, dial, ledger: createLedger(), startedMs, isOver: false };
    client.data.stream = stream;
    link.streams.set(id, stream);
    this.#streams.add(stream);
    this.#perSource.set(source, ofSource + 1);
    const { sourceAddress, sourcePort } = client.data;
    const open: RelayOpen = { hello: dial.line, sourceAddress: sourceAddress.slice(0, 64), sourcePort };
    this.#send(link.socket, encodeRelayFrame(RELAY_FRAME.open, id, Buffer.from(JSON.stringify(open))));
  }

  #turnAway(client: Socket, reset: RelayReset): void {
    this.#send(client, resetFrame(0, reset));
    client.close();
  }

  #onMessage(socket: Socket, message: string | Buffer): void {
    const frame = decodeRelayFrame(message);
    if (frame === undefined || frame.type === RELAY_FRAME.open) {
      this.#violated(socket);
      return;
    }
    if (frame.type === RELAY_FRAME.ping) {
      // Who asks and does not read the answers gets none.
      if (this.#hasRoom(socket, message.length)) this.#send(socket, encodeRelayFrame(RELAY_FRAME.pong, 0));
      return;
    }
    if (frame.type === RELAY_FRAME.pong) return;
    const { link } = socket.data;
    if (link !== null) {
      const stream = link.streams.get(frame.streamId);
      // It may have ended while this was on its way.
      if (stream !== undefined) this.#onFrame(stream, "agent", frame, message as Buffer);
    } else if (socket.data.stream !== null) {
      if (frame.streamId !== 0) {
        this.#violated(socket);
        return;
      }
      this.#onFrame(socket.data.stream, "client", frame, message as Buffer);
    }
  }

  /** Books a frame and passes it on under the id it has at the other end. */
  #onFrame(stream: Stream, from: RelayEnd, frame: RelayFrame, message: Buffer): void {
    if (stream.isOver) return;
    if (frame.type === RELAY_FRAME.reset) {
      this.#end(stream, "gone", from);
      return;
    }
    if (!stream.ledger.take(from, frame)) {
      this.#end(stream, "violation");
      return;
    }
    const to = from === "client" ? stream.link.socket : stream.client;
    if (!this.#hasRoom(to, message.length)) {
      this.#end(stream, "limit");
      return;
    }
    message.writeUInt32BE(from === "client" ? stream.id : 0, 1);
    this.#send(to, message);
    if (stream.ledger.isOver) this.#forget(stream);
  }

  #hasRoom(to: Socket, bytes: number): boolean {
    const { waitingBytesMax, waitingBytesPerAgentMax } = this.#limits;
    const ownMax = to.data.link === null ? WAITING_BYTES_PER_CLIENT_MAX : waitingBytesPerAgentMax;
    return to.data.waitingBytes + bytes <= ownMax && this.#waitingBytes + bytes <= waitingBytesMax;
  }

  /** Ends a stream at both ends, or at the one that does not know yet. */
  #end(stream: Stream, reset: RelayReset, knows?: RelayEnd): void {
    if (stream.isOver) return;
    this.#forget(stream);
    if (knows !== "agent") this.#send(stream.link.socket, resetFrame(stream.id, reset));
    this.#send(stream.client, resetFrame(0, reset));
    this.#closeSoon(stream.client);
  }

  /** The stream is in no list any more; its client may still read what is on the way. */
  #forget(stream: Stream): void {
    const { source } = stream.dial.hello;
    stream.isOver = true;
    stream.link.streams.delete(stream.id);
    this.#streams.delete(stream);
    const left = (this.#perSource.get(source) ?? 1) - 1;
    if (left === 0) this.#perSource.delete(source);
    else this.#perSource.set(source, left);
    this.#context.log.info("relayed stream ended", { ...this.#show(stream) });
    if (stream.ledger.isOver) this.#closeSoon(stream.client);
  }

  /** A closing handshake lets what was sent be read; who does not answer it is cut off. */
  #closeSoon(socket: Socket): void {
    socket.close();
    const timer = setTimeout(() => socket.terminate(), LINGER_MS + socket.data.waitingBytes / 100);
    timer.unref();
  }

  #violated(socket: Socket): void {
    const { stream, link } = socket.data;
    this.#context.log.warn("a relay socket broke the rules", { kind: socket.data.kind });
    if (stream !== null) this.#end(stream, "violation");
    if (link !== null) this.#dropLink(link);
    socket.close();
  }

  #onClose(socket: Socket): void {
    this.#waitingBytes -= socket.data.waitingBytes;
    socket.data.waitingBytes = 0;
    const { stream, link } = socket.data;
    if (stream !== null) this.#end(stream, "gone", "client");
    if (link === null) return;
    if (this.#links.get(link.peerId) === link) this.#links.delete(link.peerId);
    for (const one of [...link.streams.values()]) this.#end(one, "gone", "agent");
  }

  #dropLink(link: AgentLink): void {
    for (const stream of [...link.streams.values()]) this.#end(stream, "gone", "agent");
    if (this.#links.get(link.peerId) === link) this.#links.delete(link.peerId);
    link.socket.close();
  }

  #send(socket: Socket, frame: Buffer): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(frame);
    this.#count(socket);
  }

  /** What waits for this reader, kept in the sum of all. */
  #count(socket: Socket): number {
    const waitingBytes = socket.getBufferedAmount();
    this.#waitingBytes += waitingBytes - socket.data.waitingBytes;
    socket.data.waitingBytes = waitingBytes;
    return waitingBytes;
  }

  /** Ends what no rule allows any more and its machine has not ended by itself, with its own sentence. */
  async #recheck(): Promise<void> {
    this.#recheckTimer = undefined;
    const accounts = [...this.#dirty];
    this.#dirty.clear();
    try {
      for (const accountId of accounts) await this.#recheckAccount(accountId);
    } catch (cause) {
      if (!this.#isClosed) this.#context.log.error("relayed streams could not be looked at again", {}, cause);
    }
  }

  async #recheckAccount(accountId: AccountId): Promise<void> {
    for (const stream of [...this.#streams]) {
      if (stream.isOver || stream.dial.accountId !== accountId) continue;
      if (!(await this.#admission.mayGoOn(accountId, stream.dial.hello))) this.#end(stream, "refused");
    }
  }

  /** A machine that was removed is told so on its control link; this is for one that does not listen. */
  async #sweepLinks(): Promise<void> {
    for (const link of [...this.#links.values()]) {
      if (this.#isClosed) return;
      if (!(await this.#admission.isMachine(link.peerId))) this.#dropLink(link);
    }
  }

  #show({ dial, client, ledger, startedMs }: Stream): RelayedStream {
    return {
      source: dial.hello.source,
      target: dial.hello.target,
      sourceAddress: client.data.sourceAddress,
      bytesFromClient: ledger.bytes.client,
      bytesFromAgent: ledger.bytes.agent,
      durationMs: Math.round(this.#context.clock.monotonicMs() - startedMs),
    };
  }
}

type Verdict =
  | { readonly ok: true; readonly dial: AdmittedDial | null; readonly agent: AdmittedAgent | null }
  | { readonly ok: false; readonly reset: RelayReset; readonly source: PeerId | null };

/** Ids are not used again while a frame of their former stream may be on its way. */
function nextId(link: AgentLink): number {
  do {
    link.lastStreamId = (link.lastStreamId % 0xffff_ffff) + 1;
  } while (link.streams.has(link.lastStreamId));
  return link.lastStreamId;
}

function refusal(status: number, message: string): Response {
  return Response.json({ code: status, message, error: "ERR_UNAVAILABLE" }, { status });
}
