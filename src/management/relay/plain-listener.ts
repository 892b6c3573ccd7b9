/**
 * The relay's plain listener (`wire/relay-plain.ts`): takes a client's TCP connection, which carries one
 * stream. It makes the checks of the WebSocket path, with its limits and time limits, and sends nothing to a
 * client that fails them.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { createSourceLimits } from "../../fabric/source-limits.ts";
import { HELLO_TIMEOUT_MS } from "../../wire/hello.ts";
import { decodeRelayFrame, RELAY_TIMEOUT_MS } from "../../wire/relay.ts";
import { parseRelayLine, RELAY_LINE_BYTES_MAX } from "../../wire/relay-plain.ts";
import { listening } from "../contracts/listening.ts";
import type { DialClaim } from "./admission.ts";
import type { DialCheck } from "./admission-http.ts";
import { PlainClient } from "./plain-client.ts";
import type { QueueSocket, SendQueue } from "./send-queue.ts";
import { endWhenSilent } from "./silent-peer.ts";
import type { Stream, StreamEnd, Streams } from "./streams.ts";
import type { StreamSource } from "./tunnel.ts";

/** What the listener needs from the relay. */
export interface PlainHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly streams: Streams;
  /** Makes all checks that a client's request would get. */
  check(claim: DialClaim): Promise<DialCheck>;
  /** A queue to a client's socket within its peer's share, with room for `moreBytes` more than others. */
  enter(check: DialCheck, socket: QueueSocket, moreBytes: number): SendQueue;
  leave(check: DialCheck): void;
  /** Opens the stream. Null: it was refused. */
  open(source: StreamSource, client: StreamEnd, check: DialCheck): Stream | null;
}

export interface PlainListener {
  readonly port: number;
  /** From now on connections are taken; before, they are closed. */
  open(host: PlainHost): void;
  /** Stops listening and closes what has opened no stream. Streams belong to the relay. */
  close(): void;
}

/** Most bytes that the runtime reads at once; they may have to wait for credit. */
const PENDING_BYTES_MAX = 512 * 1024;

type Socket = Bun.Socket<Connection>;

/** Throws ERR_ADDRESS_IN_USE, ERR_PERMISSION or ERR_USAGE. */
export function listenPlain({ hostname, port }: { hostname: string; port: number }): PlainListener {
  let taker: Taker | null = null;
  const server = listening({ hostname, port, flag: "--relay-listen" }, () =>
    Bun.listen<Connection>({
      hostname,
      port,
      exclusive: true,
      allowHalfOpen: true,
      socket: {
        open: (socket) => (taker === null ? socket.terminate() : taker.take(socket)),
        data: (socket, data) => socket.data?.onData(data),
        drain: (socket) => socket.data?.onDrain(),
        end: (socket) => socket.data?.onEnd(),
        close: (socket) => socket.data?.onClose(),
        error: (socket) => socket.terminate(),
      },
    }),
  );
  return {
    port: server.port,
    open(host) {
      taker = new Taker(host);
    },
    close() {
      server.stop(false);
      taker?.close();
    },
  };
}

/** Takes connections within the limits, and knows those that have opened no stream yet. */
class Taker {
  readonly host: PlainHost;
  readonly unproven = new Set<Connection>();
  readonly #sources: ReturnType<typeof createSourceLimits>;

  constructor(host: PlainHost) {
    this.host = host;
    this.#sources = createSourceLimits(host.clock);
  }

  take(socket: Socket): void {
    const address = socket.remoteAddress.replace(/^::ffff:(?=\d+\.)/i, "");
    if (!this.#sources.enter(address)) {
      socket.terminate();
      return;
    }
    const connection = new Connection(this, socket, address);
    socket.data = connection;
    this.unproven.add(connection);
  }

  settle(connection: Connection, isProven: boolean): void {
    if (this.unproven.delete(connection)) this.#sources.leave(connection.sourceAddress, isProven);
  }

  close(): void {
    for (const connection of this.unproven) connection.drop();
  }
}

interface OpenedStream {
  readonly client: PlainClient;
  readonly sendQueue: SendQueue;
  readonly stream: Stream;
  readonly check: DialCheck;
}

/** One connection: reads its line, has it checked, then passes bytes to the client's end of a stream. */
class Connection implements StreamSource {
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly #taker: Taker;
  readonly #socket: Socket;
  readonly #timer: ReturnType<typeof setTimeout>;
  #state: "line" | "checking" | "open" | "over" = "line";
  /** What has arrived before the stream opened. */
  #early = Buffer.alloc(0);
  #hasEnded = false;
  #opened: OpenedStream | null = null;

  constructor(taker: Taker, socket: Socket, sourceAddress: string) {
    this.#taker = taker;
    this.#socket = socket;
    this.sourceAddress = sourceAddress;
    this.sourcePort = socket.remotePort;
    this.#timer = setTimeout(() => this.drop(), HELLO_TIMEOUT_MS);
    socket.setNoDelay(true);
    endWhenSilent(socket, RELAY_TIMEOUT_MS);
  }

  /** Ends a connection that has opened no stream. */
  drop(): void {
    this.#settle(false);
    this.#socket.terminate();
  }

  onData(data: Buffer): void {
    if (this.#state === "open") {
      this.#opened?.client.receive(data);
      this.#count();
    } else if (this.#state !== "over") {
      this.#early = Buffer.concat([this.#early, data]);
      if (this.#state === "line") this.#readLine();
    }
  }

  onDrain(): void {
    this.#opened?.client.drained();
    this.#opened?.sendQueue.count();
  }

  onEnd(): void {
    this.#hasEnded = true;
    if (this.#state === "line") this.drop();
    else this.#opened?.client.ended();
  }

  onClose(): void {
    this.#settle(false);
    if (this.#opened === null) return;
    const { client, sendQueue, stream, check } = this.#opened;
    this.#opened = null;
    client.gone();
    sendQueue.closed();
    this.#taker.host.leave(check);
    this.#taker.host.streams.end(stream, "gone", "client");
  }

  #settle(isProven: boolean): void {
    clearTimeout(this.#timer);
    this.#taker.settle(this, isProven);
    if (this.#state !== "open") this.#state = "over";
  }

  #readLine(): void {
    const newline = this.#early.indexOf(0x0a);
    const length = newline === -1 ? this.#early.length : newline;
    const isTooLong = length >= RELAY_LINE_BYTES_MAX;
    if (newline === -1 && !isTooLong) return;
    const claim = isTooLong ? null : parseRelayLine(this.#early.toString("latin1", 0, newline));
    if (claim === null) {
      this.drop();
      return;
    }
    this.#early = this.#early.subarray(newline + 1);
    this.#state = "checking";
    this.#socket.pause();
    const { host } = this.#taker;
    host.check(claim).then(
      (check) => this.#begin(check),
      (cause: unknown) => {
        host.log.error("a connection to the relay could not be checked", {}, cause);
        this.drop();
      },
    );
  }

  #begin(check: DialCheck): void {
    if (this.#state !== "checking") return;
    if (!check.ok) {
      // Why is told on the WebSocket path, which the client tries next.
      this.#settle(check.source !== null);
      this.#socket.terminate();
      return;
    }
    const { host } = this.#taker;
    const client = new PlainClient(this.#socket, (message) => this.#deliver(message));
    const sendQueue = host.enter(check, client, PENDING_BYTES_MAX);
    const stream = host.open(this, { sendQueue, id: 0, carrier: null }, check);
    this.#settle(true);
    if (stream === null) {
      host.leave(check);
      this.#socket.terminate();
      return;
    }
    this.#opened = { client, sendQueue, stream, check };
    this.#state = "open";
    const early = this.#early;
    this.#early = Buffer.alloc(0);
    if (early.length > 0) this.onData(early);
    else this.#socket.resume();
    if (this.#hasEnded) client.ended();
  }

  #deliver(message: Buffer): void {
    const frame = decodeRelayFrame(message);
    if (frame === undefined || this.#opened === null) return;
    this.#taker.host.streams.pass(this.#opened.stream, "client", frame, message);
  }

  /** Bytes that wait for the machine's credit count as waiting, and end the stream where there is no room. */
  #count(): void {
    if (this.#opened === null) return;
    const { sendQueue, stream } = this.#opened;
    sendQueue.count();
    if (!sendQueue.canSend(0)) this.#taker.host.streams.end(stream, "limit");
  }
}
