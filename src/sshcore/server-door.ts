/**
 * The server's side of one SSH transport, around ssh2: what may be said before authentication, banner
 * and reasons when something is refused, terminal modes, and output with back-pressure.
 *
 * ssh2 parses and encrypts; this decides what reaches it. Read `onPayload` first.
 *
 * @module
 */
import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import type { Connection } from "ssh2";
import { SshBufferError, SshReader } from "../base/ssh-buffer.ts";
import { bannerMessage, channelOpenFailure, DISCONNECT, disconnectMessage, MESSAGE } from "./messages.ts";
import {
  channelEnds,
  protocolOf,
  type Ssh2ChannelEnds,
  type Ssh2Protocol,
  sendMessage,
  sendMessageNow,
} from "./ssh2-internals.ts";

/** A channel that the client asks for, other than by name unverified. */
export interface ChannelOpen {
  readonly type: string;
  /** The client's number, for `refuseChannel`. */
  readonly sender: number;
  /** What follows the four common fields. */
  readonly rest: Uint8Array;
}

export interface DoorHooks {
  /** True once somebody is signed in. */
  isAuthenticated(): boolean;
  /** True: ssh2 goes on with it. False: the hook refuses it, now or later. */
  onChannelOpen(open: ChannelOpen): boolean;
  /** Bytes of terminal modes of a pty-req, as ssh2 does not read them. */
  onTerminalModes(channelId: number, modes: Uint8Array): void;
  /** Data of a channel went either way. */
  onActivity(): void;
  /** The client broke the protocol; the transport is ended. */
  onViolation(what: string): void;
}

/** What a client may send before it is signed in; anything else ends the connection (CVE-2018-10933). */
const BEFORE_AUTH: ReadonlySet<number> = new Set([
  MESSAGE.DISCONNECT,
  MESSAGE.IGNORE,
  MESSAGE.UNIMPLEMENTED,
  MESSAGE.DEBUG,
  MESSAGE.SERVICE_REQUEST,
  MESSAGE.EXT_INFO,
  MESSAGE.USERAUTH_REQUEST,
  MESSAGE.USERAUTH_INFO_RESPONSE,
]);
/** Messages that do nothing, before authentication; protects against a flood of them. */
const IDLE_MESSAGES_MAX = 64;
/** Bytes waiting in the transport above which channels stop writing: a client may open any window. */
const TRANSPORT_BYTES_MAX = 1024 * 1024;
/** Largest piece of channel data sent; RFC 4253 section 6.1 lets everybody take it. */
const DATA_BYTES_MAX = 32_768;
const TERMINAL_MODES_BYTES_MAX = 1280;
const STDERR = 1;
/** What ssh2's own fatal errors return to leave its parser. */
const STOP_PARSING = Number.POSITIVE_INFINITY;

export class ServerDoor {
  readonly #connection: Connection;
  readonly #protocol: Ssh2Protocol;
  readonly #stream: Duplex;
  readonly #hooks: DoorHooks;
  /** Wakes writers: "window" with a channel number, "drain" of the transport, "closed". */
  readonly #wake = new EventEmitter().setMaxListeners(0);
  #idleMessages = 0;
  #hasService = false;
  #isClosed = false;
  #isBroken = false;
  bytesIn = 0;
  bytesOut = 0;

  /** Call it when ssh2 announces the connection: before the key exchange, so that nothing slips by. */
  constructor(connection: Connection, stream: Duplex, hooks: DoorHooks) {
    this.#connection = connection;
    this.#protocol = protocolOf(connection);
    this.#stream = stream;
    this.#hooks = hooks;
    const parse = this.#protocol._onPayload;
    this.#protocol._onPayload = (payload) => this.#onPayload(payload, parse);
    const write = this.#protocol._onWrite;
    this.#protocol._onWrite = (data) => {
      this.bytesOut += data.length;
      write(data);
    };
    stream.on("drain", () => this.#wake.emit("drain"));
    stream.once("close", () => this.#close());
  }

  /** Text the client shows at once. Before the end of authentication only. */
  sendBanner(text: string): void {
    if (!this.#isClosed) sendMessage(this.#protocol, bannerMessage(`${text}\r\n`));
  }

  /** Says why and ends the transport; what was sent before is still delivered. */
  disconnect(reason: number, text: string): void {
    if (this.#isClosed || !this.#stream.writable) return;
    sendMessageNow(this.#protocol, disconnectMessage(reason, text));
    this.#stream.end();
  }

  refuseChannel(sender: number, reason: number, text: string): void {
    if (!this.#isClosed) sendMessage(this.#protocol, channelOpenFailure(sender, reason, text));
  }

  /**
   * Sends `data` as stdout or stderr of a channel, as fast as the client's window and the transport
   * take it. False when the channel is gone. One call at a time for each of the two.
   */
  async writeChannel(channelId: number, kind: "stdout" | "stderr", data: Uint8Array): Promise<boolean> {
    for (let at = 0; at < data.length; ) {
      const ends = this.#openEnds(channelId);
      if (ends === undefined) return false;
      if (this.#stream.writableLength > TRANSPORT_BYTES_MAX) await this.#woken("drain");
      else if (ends.outgoing.window <= 0) await this.#woken(`window ${channelId}`);
      else at += this.#send(ends.outgoing, kind, data.subarray(at));
    }
    return true;
  }

  /** As much of `data` as goes at once; for last words. */
  tryWriteChannel(channelId: number, kind: "stdout" | "stderr", data: Uint8Array): void {
    const ends = this.#openEnds(channelId);
    if (ends !== undefined && ends.outgoing.window > 0) this.#send(ends.outgoing, kind, data);
  }

  /** Exit status (RFC 4254 section 6.10), where the channel is still open. */
  sendExitStatus(channelId: number, status: number): void {
    const ends = this.#openEnds(channelId);
    if (ends !== undefined) this.#protocol.exitStatus(ends.outgoing.id, status);
  }

  /** Name of the signal that ended it, without SIG. */
  sendExitSignal(channelId: number, signal: string): void {
    const ends = this.#openEnds(channelId);
    if (ends !== undefined) this.#protocol.exitSignal(ends.outgoing.id, signal, false, "");
  }

  #send(
    outgoing: { readonly id: number; window: number; readonly packetSize: number },
    kind: "stdout" | "stderr",
    data: Uint8Array,
  ): number {
    const length = Math.min(data.length, outgoing.window, outgoing.packetSize, DATA_BYTES_MAX);
    // ssh2 takes anything but a Buffer for text.
    const piece = Buffer.from(data.buffer, data.byteOffset, length);
    if (kind === "stdout") this.#protocol.channelData(outgoing.id, piece);
    else this.#protocol.channelExtData(outgoing.id, piece, STDERR);
    outgoing.window -= length;
    this.#hooks.onActivity();
    return length;
  }

  /** Undefined unless something can still be sent on it. */
  #openEnds(channelId: number): Ssh2ChannelEnds | undefined {
    const ends = this.#isClosed ? undefined : channelEnds(this.#connection, channelId);
    return ends?.outgoing.state === "open" ? ends : undefined;
  }

  #woken(event: string): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wake.off(event, wake);
        this.#wake.off("closed", wake);
        resolve();
      };
      this.#wake.on(event, wake);
      this.#wake.on("closed", wake);
    });
  }

  #close(): void {
    this.#isClosed = true;
    this.#wake.emit("closed");
  }

  #onPayload(payload: Buffer, parse: (payload: Buffer) => unknown): unknown {
    if (this.#isBroken) return STOP_PARSING;
    const type = payload[0] ?? 0;
    this.bytesIn += payload.length;
    const violation = this.#hooks.isAuthenticated()
      ? this.#judgeMessage(type, payload)
      : this.#judgeBeforeAuth(type);
    if (violation === "handled") return undefined;
    if (violation !== null) {
      this.#isBroken = true;
      this.disconnect(DISCONNECT.PROTOCOL_ERROR, "protocol error");
      this.#hooks.onViolation(violation);
      return STOP_PARSING;
    }
    const result = parse(payload);
    if (type === MESSAGE.CHANNEL_WINDOW_ADJUST) this.#wake.emit(`window ${readUint32(payload, 1)}`);
    // A closed channel must not leave its writers waiting for a window.
    if (type === MESSAGE.CHANNEL_CLOSE) this.#wake.emit(`window ${readUint32(payload, 1)}`);
    return result;
  }

  #judgeBeforeAuth(type: number): string | null {
    if (type >= MESSAGE.KEXINIT && type <= MESSAGE.KEX_LAST) return null;
    if (!BEFORE_AUTH.has(type)) return `message ${type} before authentication`;
    if (type === MESSAGE.SERVICE_REQUEST) this.#hasService = true;
    if (type === MESSAGE.USERAUTH_REQUEST && !this.#hasService) return "authentication without its service";
    if (type === MESSAGE.IGNORE || type === MESSAGE.DEBUG || type === MESSAGE.UNIMPLEMENTED) {
      return ++this.#idleMessages > IDLE_MESSAGES_MAX ? "a flood before authentication" : null;
    }
    return null;
  }

  /** Null: on to ssh2. "handled": it goes no further. Anything else is what the client did wrong. */
  #judgeMessage(type: number, payload: Buffer): string | null {
    try {
      if (type === MESSAGE.CHANNEL_OPEN) return this.#onChannelOpen(payload);
      if (type === MESSAGE.CHANNEL_DATA) return this.#onChannelData(payload);
      if (type === MESSAGE.CHANNEL_REQUEST) this.#onChannelRequest(payload);
      return null;
    } catch (cause) {
      if (cause instanceof SshBufferError) return "a malformed message";
      throw cause;
    }
  }

  #onChannelOpen(payload: Buffer): string | null {
    const reader = new SshReader(payload.subarray(1));
    const type = reader.text(256);
    const sender = reader.uint32();
    reader.uint32();
    // ssh2 would cut data into pieces of this size for ever.
    if (reader.uint32() === 0) return "a channel with packets of no size";
    const rest = Buffer.from(payload.subarray(1 + reader.position));
    return this.#hooks.onChannelOpen({ type, sender, rest }) ? null : "handled";
  }

  /** ssh2 does not hold a client to its window. */
  #onChannelData(payload: Buffer): string | null {
    const ends = channelEnds(this.#connection, readUint32(payload, 1));
    this.#hooks.onActivity();
    return ends !== undefined && payload.length - 9 > ends.incoming.window ? "data beyond the window" : null;
  }

  #onChannelRequest(payload: Buffer): void {
    const reader = new SshReader(payload.subarray(1));
    const channelId = reader.uint32();
    if (reader.text(256) !== "pty-req") return;
    reader.uint8();
    reader.string(256);
    for (let field = 0; field < 4; field++) reader.uint32();
    this.#hooks.onTerminalModes(channelId, Buffer.from(reader.string(TERMINAL_MODES_BYTES_MAX)));
  }
}

function readUint32(payload: Buffer, at: number): number {
  return payload.length >= at + 4 ? payload.readUInt32BE(at) : 0xffff_ffff;
}
