/**
 * Either end of a tunnel to another management process: a sealed WebSocket with many relayed streams.
 *
 * The dialling process has the clients and chooses the stream ids; the other one has the machines. Each
 * accounts for every stream as if both ends were its own. Read `receive` first. `wire/relay-tunnel.ts` has
 * the frames and the opening.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { parseJson } from "../../base/files.ts";
import type { Log } from "../../base/log.ts";
import {
  decodeRelayFrame,
  encodeRelayFrame,
  RELAY_CREDIT_INITIAL,
  RELAY_FRAME,
  type RelayFrame,
  type RelayReset,
  resetFrame,
  resetOf,
} from "../../wire/relay.ts";
import { RELAY_TUNNEL_PING_MS, RELAY_TUNNEL_TIMEOUT_MS, RelayTunnelOpen } from "../../wire/relay-tunnel.ts";
import type { AdmittedDial, DialClaim, NotAdmitted } from "./admission.ts";
import { type QueueSocket, SendQueue, type Waiting } from "./send-queue.ts";
import type { Carrier, Stream, StreamEnd, Streams } from "./streams.ts";
import type { Seal } from "./tunnel-seal.ts";

/** Streams of one tunnel that are being admitted. */
const OPENINGS_MAX = 1_024;
/**
 * Bytes that may arrive for a stream being admitted: its initial credit, and the overhead of each frame here.
 */
const OPENING_BYTES_MAX = 2 * RELAY_CREDIT_INITIAL;
const FRAME_COST_BYTES = 64;

/** The client's address as its own process sees it. Shown to people, never relied on. */
export interface StreamSource {
  readonly sourceAddress: string;
  readonly sourcePort: number;
}

/** What a tunnel needs from the relay at its end. */
export interface TunnelHost {
  readonly streams: Streams;
  readonly waiting: Waiting;
  /** Bytes that may wait for one tunnel. */
  readonly waitingBytesPerTunnelMax: number;
  /** Makes all checks that a client's own request would get. */
  admit(claim: DialClaim): Promise<AdmittedDial | NotAdmitted>;
  /** Opens a stream to a machine that is linked here. */
  connect(source: StreamSource, client: StreamEnd, dial: AdmittedDial): Stream | RelayReset;
}

export interface TunnelOptions {
  readonly host: TunnelHost;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Log;
  readonly socket: QueueSocket;
  readonly seal: Seal;
  /** The dialling end has the clients, the accepting end the machines. */
  readonly end: "dial" | "accept";
}

interface Opening {
  readonly frames: Buffer[];
  bytes: number;
}

export class Tunnel implements Carrier {
  readonly sendQueue: SendQueue;
  readonly streams = new Map<number, Stream>();
  readonly #options: TunnelOptions;
  readonly #openings = new Map<number, Opening>();
  readonly #timer: ReturnType<typeof setInterval>;
  #lastId = 0;
  #heardAtMs: number;
  #isOver = false;

  constructor(options: TunnelOptions) {
    const { host, socket, seal, clock } = options;
    this.#options = options;
    const sealing: QueueSocket = {
      get readyState() {
        return socket.readyState;
      },
      send: (frame) => socket.send(seal.seal(frame)),
      close: () => socket.close(),
      terminate: () => socket.terminate(),
      getBufferedAmount: () => socket.getBufferedAmount(),
    };
    this.sendQueue = new SendQueue(sealing, host.waiting, host.waitingBytesPerTunnelMax);
    this.#heardAtMs = clock.monotonicMs();
    this.#timer = setInterval(() => this.#beat(), RELAY_TUNNEL_PING_MS);
    this.#timer.unref();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Opens a stream for a client of this process. The other process may still refuse it. */
  open(source: StreamSource, client: StreamEnd, dial: AdmittedDial): Stream | RelayReset {
    const { streams } = this.#options.host;
    if (this.#isOver) return "broken";
    if (streams.isFull(dial.hello.source) || this.sendQueue.isCrowded) return "limit";
    this.#lastId += 1;
    const id = this.#lastId;
    const open: RelayTunnelOpen = {
      hello: dial.line,
      proof: dial.proof,
      sourceAddress: source.sourceAddress.slice(0, 64),
      sourcePort: source.sourcePort,
    };
    this.sendQueue.send(encodeRelayFrame(RELAY_FRAME.open, id, Buffer.from(JSON.stringify(open))));
    return streams.open({
      dial,
      sourceAddress: source.sourceAddress,
      client,
      agent: { sendQueue: this.sendQueue, id, carrier: this },
    });
  }

  /**
   * Takes a message from the socket. One that is not sealed by the other end, or no frame, ends the tunnel.
   */
  receive(message: unknown): void {
    if (this.#isOver) return;
    const frame = Buffer.isBuffer(message) ? this.#options.seal.open(message) : null;
    const read = frame === null ? undefined : decodeRelayFrame(frame);
    if (frame === null || read === undefined) {
      this.#violated();
      return;
    }
    this.#heardAtMs = this.#options.clock.monotonicMs();
    if (read.type === RELAY_FRAME.open) this.#onOpen(read);
    else if (read.type === RELAY_FRAME.ping) {
      if (this.sendQueue.canSend(frame.length)) this.sendQueue.send(encodeRelayFrame(RELAY_FRAME.pong, 0));
    } else if (read.type !== RELAY_FRAME.pong) this.#onFrame(read, frame);
  }

  /** Ends the tunnel: its socket is closed or must be. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#openings.clear();
    const { host, end } = this.#options;
    for (const stream of [...this.streams.values()]) {
      if (end === "dial") host.streams.end(stream, "broken", "agent");
      else host.streams.end(stream, "gone", "client");
    }
    this.sendQueue.close();
    this.sendQueue.closed();
  }

  #beat(): void {
    const { clock, log, socket } = this.#options;
    if (clock.monotonicMs() - this.#heardAtMs > RELAY_TUNNEL_TIMEOUT_MS) {
      log.warn("a tunnel to another process is silent", {});
      this.over();
      socket.terminate();
      return;
    }
    this.sendQueue.count();
    const ping = encodeRelayFrame(RELAY_FRAME.ping, 0);
    if (this.sendQueue.canSend(ping.length)) this.sendQueue.send(ping);
  }

  #onFrame(frame: RelayFrame, message: Buffer): void {
    const { host, end } = this.#options;
    const stream = this.streams.get(frame.streamId);
    if (stream === undefined) this.#onEarly(frame, message);
    else if (end === "accept") host.streams.pass(stream, "client", frame, message);
    // Another process is trusted to give the reason; a machine is not.
    else if (frame.type === RELAY_FRAME.reset) host.streams.end(stream, resetOf(frame), "agent");
    else host.streams.pass(stream, "agent", frame, message);
  }

  /** Takes a frame for a stream that is being admitted, or that ended while the frame was in flight. */
  #onEarly(frame: RelayFrame, message: Buffer): void {
    const opening = this.#openings.get(frame.streamId);
    if (opening === undefined) return;
    opening.bytes += message.length + FRAME_COST_BYTES;
    opening.frames.push(message);
    if (frame.type === RELAY_FRAME.reset) this.#openings.delete(frame.streamId);
    else if (opening.bytes > OPENING_BYTES_MAX) this.#refuse(frame.streamId, "violation");
  }

  #onOpen({ streamId, payload }: RelayFrame): void {
    if (this.#options.end === "dial" || this.streams.has(streamId) || this.#openings.has(streamId)) {
      this.#violated();
      return;
    }
    const parsed = RelayTunnelOpen.safeParse(parseJson(payload.toString("utf8")));
    if (!parsed.success) this.#refuse(streamId, "violation");
    else if (this.#openings.size >= OPENINGS_MAX) this.#refuse(streamId, "limit");
    else {
      this.#openings.set(streamId, { frames: [], bytes: 0 });
      this.#connect(streamId, parsed.data).catch((cause: unknown) => {
        this.#options.log.error("a stream of another process could not be opened", {}, cause);
        this.#refuse(streamId, "broken");
      });
    }
  }

  async #connect(id: number, open: RelayTunnelOpen): Promise<void> {
    const { host } = this.#options;
    const admitted = await host.admit(open);
    const opening = this.#openings.get(id);
    if (opening === undefined) return;
    const end = { sendQueue: this.sendQueue, id, carrier: this };
    const stream = admitted.ok ? host.connect(open, end, admitted) : admitted.reset;
    if (typeof stream === "string") {
      this.#refuse(id, stream);
      return;
    }
    this.#openings.delete(id);
    for (const message of opening.frames) {
      const frame = decodeRelayFrame(message);
      if (frame !== undefined) host.streams.pass(stream, "client", frame, message);
    }
  }

  #refuse(id: number, reset: RelayReset): void {
    this.#openings.delete(id);
    this.sendQueue.send(resetFrame(id, reset));
  }

  #violated(): void {
    this.#options.log.error("a tunnel to another process broke the rules", { end: this.#options.end });
    this.over();
  }
}
