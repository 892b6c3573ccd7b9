/**
 * A relayed stream in the page: one WebSocket to management's relay, with credit-based flow control both
 * ways. `wire/relay-numbers.ts` defines the frames. The relay sees only ciphertext.
 *
 * @module
 */
import {
  RELAY_CREDIT_INITIAL,
  RELAY_CREDIT_MAX,
  RELAY_DATA_BYTES_MAX,
  RELAY_FRAME,
  RELAY_FRAME_HEADER_BYTES,
  RELAY_PING_MS,
  RELAY_RESET,
  RELAY_TIMEOUT_MS,
  type RelayReset,
} from "../wire/relay-numbers.ts";
import { type Bytes, concat } from "./bytes.ts";
import { SshFailure } from "./failure.ts";
import type { ByteLink, LinkListener } from "./link.ts";

/** Bytes that the machine may send ahead of consumption, once the first have been consumed. */
const WINDOW_BYTES = 2 * 1024 * 1024;
const OPEN_TIMEOUT_MS = 20_000;

/** Messages for the user, by reason of the loss. */
const LOSSES: Readonly<Record<RelayReset, string>> = {
  gone: "the machine closed the connection",
  refused: "no policy lets this browser reach the machine any more",
  absent: "the machine is not connected to the relay",
  limit: "the relay has no room for this connection",
  violation: "the connection through the relay broke",
  closing: "management is restarting",
  unproven: "management does not know this browser",
  broken: "the relay has lost its way to the machine",
  signed_out: "your session of the dashboard is over",
};
const LOST = "the connection to management was lost";

/** Connects to the relay. Resolves once the socket is open. */
export function openRelay(url: string, protocols: readonly string[]): Promise<ByteLink> {
  const socket = new WebSocket(url, [...protocols]);
  socket.binaryType = "arraybuffer";
  const { promise, resolve, reject } = Promise.withResolvers<ByteLink>();
  const refused = () => reject(new SshFailure("lost", "management did not open the way to the machine"));
  const timer = setTimeout(() => {
    socket.close();
    refused();
  }, OPEN_TIMEOUT_MS);
  socket.onopen = () => {
    clearTimeout(timer);
    resolve(new RelayLink(socket));
  };
  socket.onclose = () => {
    clearTimeout(timer);
    refused();
  };
  return promise;
}

/** The part of a WebSocket in use here. */
export interface RelaySocket {
  send(frame: Bytes): void;
  close(): void;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
}

export class RelayLink implements ByteLink {
  readonly #socket: RelaySocket;
  #listener: LinkListener | null = null;
  readonly #early: Bytes[] = [];
  #ended: [reason: string, code: "lost" | "ended"] | null = null;
  #credit = RELAY_CREDIT_INITIAL;
  #granted = RELAY_CREDIT_INITIAL;
  #window = RELAY_CREDIT_INITIAL;
  /** Bytes received but not consumed. */
  #unread = 0;
  readonly #outgoing: Bytes[] = [];
  #isOver = false;
  #isGathering = false;
  #heardAtMs = performance.now();
  readonly #beat: ReturnType<typeof setInterval>;

  constructor(socket: RelaySocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#onFrame(data);
    socket.onclose = () => this.#end(LOST);
    this.#beat = setInterval(() => {
      if (performance.now() - this.#heardAtMs > RELAY_TIMEOUT_MS) this.#end(LOST);
      else this.#send(RELAY_FRAME.ping);
    }, RELAY_PING_MS);
  }

  listen(listener: LinkListener): void {
    this.#listener = listener;
    for (const bytes of this.#early.splice(0)) this.#give(bytes);
    if (this.#ended !== null) listener.onEnd(...this.#ended);
  }

  send(bytes: Bytes): void {
    if (this.#isOver) return;
    this.#outgoing.push(bytes);
    if (this.#isGathering) return;
    this.#isGathering = true;
    queueMicrotask(() => {
      this.#isGathering = false;
      this.#flush();
    });
  }

  close(): void {
    if (this.#isOver) return;
    this.#flush();
    this.#send(RELAY_FRAME.reset, Uint8Array.of(RELAY_RESET.gone));
    this.#stop();
  }

  #onFrame(data: unknown): void {
    if (this.#isOver) return;
    this.#heardAtMs = performance.now();
    if (!(data instanceof ArrayBuffer) || data.byteLength < RELAY_FRAME_HEADER_BYTES) {
      this.#end(LOST);
      return;
    }
    const frame = new Uint8Array(data);
    const payload = frame.subarray(RELAY_FRAME_HEADER_BYTES);
    const type = frame[0];
    if (type === RELAY_FRAME.data) this.#onData(payload);
    else if (type === RELAY_FRAME.credit && payload.length === 4) this.#onCredit(payload);
    else if (type === RELAY_FRAME.eof) this.#end(LOSSES.gone);
    else if (type === RELAY_FRAME.reset) this.#onReset(payload[0]);
    else if (type === RELAY_FRAME.ping) this.#send(RELAY_FRAME.pong);
    else if (type !== RELAY_FRAME.pong) this.#end(LOSSES.violation);
  }

  #onData(bytes: Bytes): void {
    if (bytes.length > this.#granted) {
      this.#end(LOSSES.violation);
      return;
    }
    this.#granted -= bytes.length;
    this.#unread += bytes.length;
    if (this.#listener === null) this.#early.push(bytes);
    else this.#give(bytes);
  }

  #give(bytes: Bytes): void {
    this.#listener?.onBytes(bytes, () => {
      this.#unread -= bytes.length;
      this.#window = WINDOW_BYTES;
      this.#grant();
    });
  }

  /** Grants credit in steps of a quarter of the window, not for every frame. */
  #grant(): void {
    const more = this.#window - this.#granted - this.#unread;
    if (this.#isOver || more < this.#window / 4) return;
    this.#granted += more;
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setUint32(0, more);
    this.#send(RELAY_FRAME.credit, payload);
  }

  #onCredit(payload: Bytes): void {
    this.#credit += new DataView(payload.buffer, payload.byteOffset).getUint32(0);
    if (this.#credit > RELAY_CREDIT_MAX) this.#end(LOSSES.violation);
    else this.#flush();
  }

  #flush(): void {
    while (this.#outgoing.length > 0 && this.#credit > 0 && !this.#isOver) {
      const parts: Bytes[] = [];
      let room = Math.min(this.#credit, RELAY_DATA_BYTES_MAX);
      for (let [next] = this.#outgoing; next !== undefined && room > 0; [next] = this.#outgoing) {
        const part = next.subarray(0, room);
        parts.push(part);
        room -= part.length;
        this.#credit -= part.length;
        if (part.length === next.length) this.#outgoing.shift();
        else this.#outgoing[0] = next.subarray(part.length);
      }
      this.#send(RELAY_FRAME.data, concat(...parts));
    }
  }

  /** A client's own socket carries one stream, with number 0. */
  #send(type: number, payload: Bytes = new Uint8Array(0)): void {
    this.#socket.send(concat(Uint8Array.of(type, 0, 0, 0, 0), payload));
  }

  #onReset(code: number | undefined): void {
    const names = Object.keys(RELAY_RESET) as RelayReset[];
    const reset = names.find((name) => RELAY_RESET[name] === code) ?? "gone";
    this.#end(LOSSES[reset], reset === "signed_out" || reset === "refused" ? "ended" : "lost");
  }

  #end(reason: string, code: "lost" | "ended" = "lost"): void {
    if (this.#isOver) return;
    this.#stop();
    this.#ended = [reason, code];
    this.#listener?.onEnd(reason, code);
  }

  #stop(): void {
    this.#isOver = true;
    clearInterval(this.#beat);
    this.#socket.close();
  }
}
