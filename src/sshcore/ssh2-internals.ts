/**
 * The inside of ssh2 1.17.0 that its types do not show, as far as we reach into it, and nowhere else.
 *
 * ssh2 cannot send a banner at the moment of a refusal, gives a channel no reason when it refuses it,
 * and has no end to what it holds for a slow reader. `ssh-transport.ts` does these things itself through
 * the shapes below. A version of ssh2 in which one of them is missing is refused at the first
 * connection, not worked around.
 *
 * @module
 */
import type { Connection } from "ssh2";
import { assert } from "../base/assert.ts";

export interface Ssh2Protocol {
  /** From our patch: true hands the payload on, anything else goes to the parser in its place. */
  inspectPayload: ((payload: Buffer) => unknown) | undefined;
  _onWrite: (data: Buffer) => void;
  /** Defined while keys are being exchanged; what is sent then must wait in `_queue`. */
  readonly _kexinit: unknown;
  _queue: Buffer[] | undefined;
  /** The last key exchange; it keeps the session id of the first, and by our patch a server's host key. */
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
  /** A number for a channel; -1 when none is left. A function is called once the peer has answered. */
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

/** Both ends of the channel with local number `id`; undefined when it is not, or not yet, one. */
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

/** Sends one message, after the key exchange if one is under way. */
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

/** Sends one message now, whatever else is under way: for SSH_MSG_DISCONNECT. */
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
