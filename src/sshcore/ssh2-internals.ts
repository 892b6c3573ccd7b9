/**
 * The internals of ssh2 1.17.0 that we use and its types lack. No other file touches them.
 *
 * ssh2 cannot send a banner with a refusal, gives no reason when it refuses a channel, and buffers without
 * limit for a slow reader. `ssh-transport.ts` does these things itself through the shapes below. A version of
 * ssh2 that lacks one of them is refused at the first connection, not worked around.
 *
 * @module
 */
import type { Connection } from "ssh2";
import { assert } from "../base/assert.ts";

export interface Ssh2Protocol {
  /** From our patch: true passes the payload on; any other value goes to the parser instead. */
  inspectPayload: ((payload: Buffer) => unknown) | undefined;
  _onWrite: (data: Buffer) => void;
  /** Defined during a key exchange; messages sent meanwhile must wait in `_queue`. */
  readonly _kexinit: unknown;
  _queue: Buffer[] | undefined;
  /** The last key exchange. It keeps the session id of the first and, by our patch, a server's host key. */
  readonly _kex: { readonly sessionID?: Buffer; readonly sessionHostKey?: Buffer } | undefined;
  readonly _cipher: { encrypt(packet: Buffer): void };
  readonly _packetRW: {
    readonly write: {
      readonly allocStart: number;
      readonly allocStartKEX: number;
      alloc(payloadBytes: number, force?: boolean): Buffer;
      finalize(packet: Buffer, force?: boolean): Buffer;
    };
  };
  readonly _handlers: {
    CHANNEL_OPEN(protocol: Ssh2Protocol, open: object): void;
  };
  channelData(id: number, data: Uint8Array): void;
  channelExtData(id: number, data: Uint8Array, type: number): void;
  exitStatus(id: number, status: number): void;
  exitSignal(id: number, signal: string, coreDumped: boolean, message: string): void;
}

export interface Ssh2ChannelEnds {
  readonly incoming: { readonly id: number; readonly window: number; readonly state: string };
  readonly outgoing: {
    readonly id: number;
    window: number;
    readonly packetSize: number;
    readonly state: string;
  };
}

interface Ssh2Connection {
  readonly _protocol: Ssh2Protocol;
  readonly _sock: object;
  readonly _chanMgr: ChannelManager;
}

interface ChannelManager {
  get(id: number): unknown;
  /** Allocates a channel number; -1 when none is free. A function is called once the peer has answered. */
  add(channel: unknown): number;
}

/** The stream that `connection` runs on: the one it was injected with. */
export function streamOf(connection: Connection): object {
  return internals(connection)._sock;
}

export function protocolOf(connection: Connection): Ssh2Protocol {
  return internals(connection)._protocol;
}

export function channelManagerOf(connection: Connection): ChannelManager {
  return internals(connection)._chanMgr;
}

/** The session id. Only once keys are in force. */
export function sessionIdOf(protocol: Ssh2Protocol): Buffer {
  const id = protocol._kex?.sessionID;
  assert(Buffer.isBuffer(id) && id.length >= 32, "a transport with keys has a session id");
  return id;
}

/** SSH blob of the host key that a server of ours proved in the first key exchange. */
export function sessionHostKeyOf(protocol: Ssh2Protocol): Buffer {
  const hostKey = protocol._kex?.sessionHostKey;
  assert(hostKey !== undefined, "keys were exchanged as a server");
  return hostKey;
}

/** Both ends of the channel with local number `id`. Undefined when it is not open, or not yet. */
export function channelEnds(connection: Connection, id: number): Ssh2ChannelEnds | undefined {
  const entry = internals(connection)._chanMgr.get(id) as
    | (Partial<Ssh2ChannelEnds> & { readonly _chanInfo?: Ssh2ChannelEnds })
    | boolean
    | undefined;
  if (typeof entry !== "object") return undefined;
  if (entry._chanInfo !== undefined) return entry._chanInfo;
  return entry.incoming === undefined ? undefined : (entry as Ssh2ChannelEnds);
}

/** Local number of a session or of its channel. */
export function channelIdOf(session: object): number {
  const { _chanInfo, incoming } = session as { _chanInfo?: Ssh2ChannelEnds; incoming?: { id: number } };
  const id = _chanInfo?.incoming.id ?? incoming?.id;
  assert(typeof id === "number", "a session of ssh2 has a channel number");
  return id;
}

/** Sends one message, after any running key exchange. */
export function sendMessage(protocol: Ssh2Protocol, payload: Buffer): void {
  const writer = protocol._packetRW.write;
  const start = writer.allocStart;
  const packet = writer.alloc(payload.length);
  packet.set(payload, start);
  const finished = writer.finalize(packet);
  if (protocol._kexinit === undefined) protocol._cipher.encrypt(finished);
  else {
    protocol._queue ??= [];
    protocol._queue.push(finished);
  }
}

/** Sends one message now, even during a key exchange: for SSH_MSG_DISCONNECT. */
export function sendMessageNow(protocol: Ssh2Protocol, payload: Buffer): void {
  const writer = protocol._packetRW.write;
  const start = writer.allocStartKEX;
  const packet = writer.alloc(payload.length, true);
  packet.set(payload, start);
  protocol._cipher.encrypt(writer.finalize(packet, true));
}

function internals(connection: Connection): Ssh2Connection {
  const inside = connection as unknown as Partial<Ssh2Connection>;
  const { _protocol, _sock, _chanMgr } = inside;
  assert(_protocol !== undefined && _sock !== undefined && _chanMgr !== undefined, "ssh2 is the one we know");
  assert("inspectPayload" in _protocol, "ssh2 has our patch");
  return inside as Ssh2Connection;
}
