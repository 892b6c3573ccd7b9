/**
 * The relayed streams that pass through this process: opens them, passes frames within their credit, ends
 * them.
 *
 * A stream has a client's end and a machine's end. An end either has a socket of its own or shares a carrier
 * with others: a machine's link, or a tunnel to another process. Read `pass` first.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { releaseBuffer } from "../../base/release-buffer.ts";
import { RELAY_FRAME, type RelayFrame, type RelayReset, resetFrame } from "../../wire/relay.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import { createKeyedCounter, type KeyedCounter } from "../contracts/keyed-counter.ts";
import type { AdmittedDial } from "./admission.ts";
import type { SendQueue } from "./send-queue.ts";
import { createStreamCredit, type RelayEnd, type StreamCredit } from "./stream-credit.ts";

/** A socket that carries many streams, each under an id of its own. */
export interface Carrier {
  readonly sendQueue: SendQueue;
  readonly streams: Map<number, Stream>;
}

export interface StreamEnd {
  readonly sendQueue: SendQueue;
  /** The stream's id on that socket. */
  readonly id: number;
  /** Null: the socket is the stream's own and closes with it. */
  readonly carrier: Carrier | null;
}

export interface NewStream {
  readonly dial: AdmittedDial;
  readonly sourceAddress: string;
  readonly client: StreamEnd;
  readonly agent: StreamEnd;
}

export interface Stream extends NewStream {
  readonly credit: StreamCredit;
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

export interface StreamLimits {
  /** Streams in total, and of one dialling device. */
  readonly streamsMax: number;
  readonly streamsPerSourceMax: number;
}

export interface Streams extends Iterable<Stream> {
  readonly size: number;
  /** Whether this device, or the relay, has no room for another stream. */
  isFull(source: PeerId): boolean;
  open(stream: NewStream): Stream;
  /**
   * Accounts for a frame and passes it on under the stream's id at the other end. A frame that breaks the
   * rules ends the stream. `message` holds the whole frame, is overwritten, and must not be used afterwards.
   */
  pass(stream: Stream, from: RelayEnd, frame: RelayFrame, message: Buffer): void;
  /** Ends a stream and tells both ends why. `knows` is the end that need not be told. */
  end(stream: Stream, reset: RelayReset, knows?: RelayEnd): void;
  list(accountId: AccountId): RelayedStream[];
}

/** Messages of at least this size have their memory released at once (`base/release-buffer.ts`). */
const LARGE_BYTES = 8_192;

export function createStreams(deps: {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Log;
  readonly limits: StreamLimits;
}): Streams {
  return new StreamTable(deps.clock, deps.log, deps.limits);
}

class StreamTable implements Streams {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #log: Log;
  readonly #streams = new Set<Stream>();
  /** Streams by dialling device. */
  readonly #counter: KeyedCounter;

  constructor(clock: Pick<Clock, "monotonicMs">, log: Log, limits: StreamLimits) {
    this.#clock = clock;
    this.#log = log;
    this.#counter = createKeyedCounter(limits.streamsMax, limits.streamsPerSourceMax);
  }

  get size(): number {
    return this.#streams.size;
  }

  [Symbol.iterator](): Iterator<Stream> {
    return this.#streams.values();
  }

  isFull(source: PeerId): boolean {
    return this.#counter.isFull(source);
  }

  open(made: NewStream): Stream {
    const { source } = made.dial.hello;
    const startedMs = this.#clock.monotonicMs();
    const stream: Stream = { ...made, credit: createStreamCredit(), startedMs, isOver: false };
    for (const { carrier, id } of [made.client, made.agent]) carrier?.streams.set(id, stream);
    this.#streams.add(stream);
    this.#counter.enter(source);
    return stream;
  }

  pass(stream: Stream, from: RelayEnd, frame: RelayFrame, message: Buffer): void {
    if (stream.isOver) return;
    if (frame.type === RELAY_FRAME.reset) {
      this.end(stream, "gone", from);
      return;
    }
    if (!stream.credit.take(from, frame)) {
      this.end(stream, "violation");
      return;
    }
    const to = from === "client" ? stream.agent : stream.client;
    if (!to.sendQueue.canSend(message.length)) {
      this.end(stream, "limit");
      return;
    }
    message.writeUInt32BE(to.id, 1);
    to.sendQueue.send(message);
    if (message.length >= LARGE_BYTES && to.sendQueue.copies) releaseBuffer(message);
    if (stream.credit.isOver) this.#forget(stream);
  }

  end(stream: Stream, reset: RelayReset, knows?: RelayEnd): void {
    if (stream.isOver) return;
    const { client, agent } = stream;
    this.#forget(stream);
    if (knows !== "agent") agent.sendQueue.send(resetFrame(agent.id, reset));
    if (knows !== "client") client.sendQueue.send(resetFrame(client.id, reset));
    closeOwn(client);
  }

  list(accountId: AccountId): RelayedStream[] {
    return [...this.#streams]
      .filter(({ dial }) => dial.accountId === accountId)
      .map((one) => this.#show(one));
  }

  /** Removes the stream from all lists. Its client may still read what is in flight. */
  #forget(stream: Stream): void {
    const { source } = stream.dial.hello;
    stream.isOver = true;
    for (const { carrier, id } of [stream.client, stream.agent]) carrier?.streams.delete(id);
    this.#streams.delete(stream);
    this.#counter.leave(source);
    this.#log.info("relayed stream ended", { ...this.#show(stream) });
    if (stream.credit.isOver) closeOwn(stream.client);
  }

  #show({ dial, sourceAddress, credit, startedMs }: Stream): RelayedStream {
    return {
      source: dial.hello.source,
      target: dial.hello.target,
      sourceAddress,
      bytesFromClient: credit.bytes.client,
      bytesFromAgent: credit.bytes.agent,
      durationMs: Math.round(this.#clock.monotonicMs() - startedMs),
    };
  }
}

function closeOwn({ carrier, sendQueue }: StreamEnd): void {
  if (carrier === null) sendQueue.closeSoon();
}
