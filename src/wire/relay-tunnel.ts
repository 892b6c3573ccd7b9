/**
 * The tunnel between two management processes on one database: one WebSocket that carries the relayed
 * streams whose clients are at one process, which dialled it, and whose machines are at the other.
 *
 * Both prove that they hold the key that the database stores under the master key, and agree on keys for this
 * tunnel only. After that every message is one sealed relay frame. Frames are those of `wire/relay.ts`;
 * `open` carries `RelayTunnelOpen`, so that the machine's process verifies again everything the client's
 * process verified, including who dials.
 *
 * @module
 */
import { z } from "zod";
import { HELLO_BYTES_MAX } from "./hello.ts";
import { EpochSeconds, Port } from "./units.ts";

/** Path of the tunnel's WebSocket, at the address that a process announces to the others. */
export const RELAY_TUNNEL_PATH = "/cluster/v1/relay";
/** Of the request: base64url of `RelayTunnelDial` in JSON, a space, and the signature over its fields. */
export const RELAY_TUNNEL_HEADER = "qufabric-tunnel";
/** Beside a frame when it is sealed. */
export const RELAY_SEAL_BYTES = 16;
/** Either end pings this often. */
export const RELAY_TUNNEL_PING_MS = 2_000;
/** Silence after which a tunnel counts as dead, in milliseconds. */
export const RELAY_TUNNEL_TIMEOUT_MS = 6_000;
/** Longest wait for a tunnel to be opened, in milliseconds. */
export const RELAY_TUNNEL_OPEN_MS = 3_000;

const ProcessId = z.string().min(1).max(64);
/** 32 bytes, base64url: an X25519 public key made for this tunnel. */
const TunnelKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** The dialling process's proof, in the header of its request. */
export const RelayTunnelDial = z.strictObject({
  from: ProcessId,
  /** Process ids are new at each start, so a proof for an ended process is useless. */
  to: ProcessId,
  timeSeconds: EpochSeconds,
  /** 16 random bytes, base64url; taken once. */
  nonce: z.string().regex(/^[A-Za-z0-9_-]{22}$/),
  key: TunnelKey,
});
export type RelayTunnelDial = z.infer<typeof RelayTunnelDial>;

/** The answer: the first message, in JSON. Signed with the dial's fields in it. */
export const RelayTunnelAccept = z.strictObject({
  key: TunnelKey,
  signature: z.string().regex(/^[A-Za-z0-9_-]{86}$/),
});
export type RelayTunnelAccept = z.infer<typeof RelayTunnelAccept>;

/** What came with the client's request at the process that dialled. */
export const RelayTunnelOpen = z.strictObject({
  hello: z.string().min(1).max(HELLO_BYTES_MAX),
  proof: z.string().min(1).max(256),
  sourceAddress: z.string().max(64),
  sourcePort: Port.or(z.literal(0)),
});
export type RelayTunnelOpen = z.infer<typeof RelayTunnelOpen>;
