/**
 * Types for the additions of patches/ssh2@1.17.0.patch, and for the private parts of ssh2 that the guard
 * uses.
 *
 * An ssh2 without the patch is refused at the first connection, since nothing would be guarded.
 *
 * @module
 */
import type { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import { assert } from "../base/assert.ts";

export interface PatchedProtocol {
  /**
   * Called with each payload before ssh2 acts on it. True: ssh2 processes it. Any other value goes to ssh2's
   * parser instead: undefined skips this payload, infinity stops the parser.
   */
  inspectPayload: ((payload: Buffer) => true | number | undefined) | undefined;
  /** Name and value, sent by a server in EXT_INFO. Plain ASCII. */
  extensions: readonly (readonly [string, string])[] | undefined;
  /** Longest packet accepted from now on, in bytes, also under later keys. Undefined: 35,000. */
  maxPacketSize: number | undefined;
  _onWrite: (data: Buffer) => void;
  readonly _onError: (error: Error) => void;
  /** Absent once the protocol has ended. */
  readonly _destruct?: ((reason?: string) => void) | undefined;
  /** Our KEXINIT during a key exchange. */
  readonly _kexinit: Buffer | undefined;
  /** Packets that wait for the end of a key exchange. */
  readonly _queue: readonly Buffer[] | undefined;
  readonly _strictMode: boolean | undefined;
  readonly _skipNextInboundPacket: boolean;
  /** What our next KEXINIT lists. Shared with the other connections of a server: replaced, never changed. */
  _offer: KexInitOffer;
  readonly _remoteIdentRaw: Buffer | undefined;
  readonly _decipher: { readonly inSeqno: number; maxPacketSize: number } | undefined;
  disconnect(reason: number): void;
  rekey(): void;
  unimplemented(sequenceNumber: number): void;
  channelOpenFail(recipient: number, reason: number, text: string, language: string): void;
  serviceAccept(name: string): void;
  /** Methods through which the guard learns our answers. */
  authSuccess(...args: unknown[]): void;
  authFailure(...args: unknown[]): void;
  authPKOK(...args: unknown[]): void;
  authInfoReq(...args: unknown[]): void;
  requestSuccess(...args: unknown[]): void;
  requestFailure(...args: unknown[]): void;
}

interface NameList {
  readonly array: readonly string[];
}

interface OneWayLists {
  readonly cipher: NameList;
  readonly mac: NameList;
  readonly compress: NameList;
  readonly lang: NameList;
}

/** The name-lists of a KEXINIT (RFC 4253 section 7.1). Its constructor takes the same shape, of arrays. */
export interface KexInitOffer {
  readonly lists: {
    readonly kex: NameList;
    readonly serverHostKey: NameList;
    /** From client to server, and from server to client. */
    readonly cs: OneWayLists;
    readonly sc: OneWayLists;
  };
}

export interface ChannelSide {
  window: number;
  readonly state: string;
}

export interface PatchedChannel {
  readonly incoming?: ChannelSide;
  readonly outgoing?: ChannelSide;
  /** Set on a session before and after it starts; its channel then holds the same two sides. */
  readonly _chanInfo?: { readonly incoming: ChannelSide; readonly outgoing: ChannelSide };
}

/** A connection of ssh2's server, or a client of it. */
export interface PatchedConnection extends EventEmitter {
  readonly _protocol: PatchedProtocol;
  readonly _sock: Duplex;
  readonly _chanMgr: { readonly _count: number; readonly _channels: Readonly<Record<number, unknown>> };
}

/** `connection` with its internals. Throws when ssh2 is not patched. */
export function patched(connection: object): PatchedConnection {
  const inside = connection as PatchedConnection;
  const protocol = inside._protocol;
  assert(typeof protocol === "object" && "inspectPayload" in protocol, "ssh2 carries our patch");
  assert(
    typeof inside._sock === "object" && typeof inside._chanMgr?._channels === "object",
    "ssh2 is 1.17.0",
  );
  return inside;
}

/** Both sides of a channel; undefined when `id` is unknown or not open yet. */
export function sidesOf(connection: PatchedConnection, id: number): PatchedChannel["_chanInfo"] {
  const channel = connection._chanMgr._channels[id] as PatchedChannel | boolean | (() => void) | undefined;
  if (typeof channel !== "object") return undefined;
  if (channel._chanInfo !== undefined) return channel._chanInfo;
  const { incoming, outgoing } = channel;
  return incoming === undefined || outgoing === undefined ? undefined : { incoming, outgoing };
}
