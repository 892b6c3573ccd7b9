/**
 * The relay's WebSockets: `GET /client/v1/relay` carries one stream, `GET /agent/v1/relay` all streams of
 * one machine. Binary messages, one frame each: type (1 byte), stream id (uint32, big endian), payload.
 *
 * A client proves in the request itself that it is a registered device, so that its first frame may follow at
 * once. Data is bounded by credit: an end may send as many bytes as the other end has granted; the relay
 * forwards grants and holds both ends to them. On a client's own socket its stream has the id 0.
 *
 * @module
 */
import { z } from "zod";
import { HELLO_BYTES_MAX } from "./hello.ts";
import { lazySchema } from "./lazy-schema.ts";
import {
  RELAY_DATA_BYTES_MAX,
  RELAY_FRAME,
  RELAY_FRAME_HEADER_BYTES,
  RELAY_RESET,
  type RelayFrameType,
  type RelayReset,
} from "./relay-numbers.ts";
import { EpochSeconds, PeerId, Port } from "./units.ts";

export {
  RELAY_CREDIT_BULK,
  RELAY_CREDIT_INITIAL,
  RELAY_CREDIT_MAX,
  RELAY_DATA_BYTES_MAX,
  RELAY_FRAME,
  RELAY_FRAME_BYTES_MAX,
  RELAY_FRAME_HEADER_BYTES,
  RELAY_PING_MS,
  RELAY_RESET,
  RELAY_TIMEOUT_MS,
  type RelayFrameType,
  type RelayReset,
} from "./relay-numbers.ts";

/** Path of a client's WebSocket, which carries one stream. */
export const RELAY_CLIENT_PATH = "/client/v1/relay";
/** Path of a machine's WebSocket, which carries all of its relayed streams. */
export const RELAY_AGENT_PATH = "/agent/v1/relay";

/** Header of a client's request: the hello for the target, without its newline. */
export const RELAY_HELLO_HEADER = "qufabric-hello";
/**
 * Header of both requests. A client's: its device key's signature over signedBytes("relay", …, {hello}),
 * since hellos pass in the clear on direct paths and one that was read there must not open a relayed stream.
 * A machine's: base64url of `RelayAgentProof` in JSON, a space, and its device key's signature over
 * signedBytes("relay", …, the fields in order).
 */
export const RELAY_PROOF_HEADER = "qufabric-relay";

/**
 * Header of a machine's request by the agent that has just taken over from an earlier one: that one's link
 * serves its streams to their end, instead of being taken for dead. Older management passes it over.
 */
export const RELAY_BESIDE_HEADER = "qufabric-relay-beside";

/** A machine that offers itself to the relay. */
export const RelayAgentProof = lazySchema(() =>
  z.strictObject({
    peerId: PeerId,
    timeSeconds: EpochSeconds,
    /** 16 random bytes, base64url; taken once. */
    nonce: z.string().regex(/^[A-Za-z0-9_-]{22}$/),
  }),
);
export type RelayAgentProof = z.infer<typeof RelayAgentProof>;

/** What an agent is told of a new stream. It checks the hello itself; the address is only shown to people. */
export const RelayOpen = lazySchema(() =>
  z.object({
    hello: z.string().min(1).max(HELLO_BYTES_MAX),
    /** The client's address as management sees it. */
    sourceAddress: z.string().max(64),
    sourcePort: Port.or(z.literal(0)),
  }),
);
export type RelayOpen = z.infer<typeof RelayOpen>;

/** A frame as `decodeRelayFrame` reads it. */
export interface RelayFrame {
  readonly type: RelayFrameType;
  readonly streamId: number;
  /** A view of the message, not a copy. */
  readonly payload: Buffer;
}

/** A frame as one message. `payload` absent: none. */
export function encodeRelayFrame(type: RelayFrameType, streamId: number, payload?: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(RELAY_FRAME_HEADER_BYTES + (payload?.length ?? 0));
  frame[0] = type;
  frame.writeUInt32BE(streamId, 1);
  if (payload !== undefined) frame.set(payload, RELAY_FRAME_HEADER_BYTES);
  return frame;
}

/** A frame that grants `bytes` more to the other end. */
export function creditFrame(streamId: number, bytes: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(bytes);
  return encodeRelayFrame(RELAY_FRAME.credit, streamId, payload);
}

/** A frame that ends a stream and says why. */
export function resetFrame(streamId: number, reset: RelayReset): Buffer {
  return encodeRelayFrame(RELAY_FRAME.reset, streamId, Uint8Array.of(RELAY_RESET[reset]));
}

const PAYLOAD_BYTES: Readonly<Record<RelayFrameType, readonly [min: number, max: number]>> = {
  [RELAY_FRAME.open]: [2, 4096],
  [RELAY_FRAME.data]: [1, RELAY_DATA_BYTES_MAX],
  [RELAY_FRAME.credit]: [4, 4],
  [RELAY_FRAME.eof]: [0, 0],
  [RELAY_FRAME.reset]: [1, 1],
  [RELAY_FRAME.ping]: [0, 0],
  [RELAY_FRAME.pong]: [0, 0],
};

/**
 * The frame that is `message`. Undefined: it is none, or its payload has a length that its type does not
 * allow.
 */
export function decodeRelayFrame(message: unknown): RelayFrame | undefined {
  if (!Buffer.isBuffer(message) || message.length < RELAY_FRAME_HEADER_BYTES) return undefined;
  const type = message[0] as RelayFrameType;
  const bounds = PAYLOAD_BYTES[type];
  const length = message.length - RELAY_FRAME_HEADER_BYTES;
  if (bounds === undefined || length < bounds[0] || length > bounds[1]) return undefined;
  return { type, streamId: message.readUInt32BE(1), payload: message.subarray(RELAY_FRAME_HEADER_BYTES) };
}

/** The reason in a reset frame; `gone` for a number that this build does not know. */
export function resetOf(frame: RelayFrame): RelayReset {
  const code = frame.payload[0];
  const reset = (Object.keys(RELAY_RESET) as RelayReset[]).find((name) => RELAY_RESET[name] === code);
  return reset ?? "gone";
}
