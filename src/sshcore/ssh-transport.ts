/**
 * The server's side of one SSH transport, around ssh2: banner and reasons when something is refused,
 * terminal modes, and output with back-pressure.
 *
 * ssh2 parses and encrypts; `guard.ts` keeps out-of-place messages from it.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { Connection, ServerChannel } from "ssh2";
import { SshBufferError, SshReader } from "../base/ssh-buffer.ts";
import { bannerMessage, channelOpenFailure, debugMessage, disconnectMessage, MESSAGE } from "./messages.ts";
import { acceptChannel, openChannel } from "./server-channels.ts";
import {
  channelEnds,
  protocolOf,
  type Ssh2ChannelEnds,
  type Ssh2Protocol,
  sendMessage,
  sendMessageNow,
  sessionHostKeyOf,
  sessionIdOf,
} from "./ssh2-internals.ts";
import { CHANNEL_TYPE_BYTES_MAX } from "./wire-limits.ts";
import { createGatherer } from "./write-coalescer.ts";

/** A channel open from the client; everything but the type name is unverified. */
export interface ChannelOpen {
  readonly type: string;
  /** The client's number, for `refuseChannel`. */
  readonly sender: number;
  /** Window of the client's side. */
  readonly window: number;
  readonly packetSize: number;
  /** The bytes after the four common fields. */
  readonly rest: Uint8Array;
}

export interface SshTransportHooks {
  /** True: ssh2 handles it. False: the hook answers it, now or later. */
  onChannelOpen(open: ChannelOpen): boolean;
  /** Raw terminal modes of a pty-req, which ssh2 does not parse fully. */
  onTerminalModes(channelId: number, modes: Uint8Array): void;
  /** The client no longer reads a channel's output (`eow@openssh.com`, OpenSSH PROTOCOL 2.1). */
  onOutputUnread(channelId: number): void;
  /** Channel data passed in either direction. */
  onActivity(): void;
}

/** Bytes queued in the transport above which channels stop writing; a client may open any window. */
const TRANSPORT_BYTES_MAX = 1024 * 1024;
/** Largest piece of channel data sent; every implementation accepts it (RFC 4253 section 6.1). */
const DATA_BYTES_MAX = 32_768;
const TERMINAL_MODES_BYTES_MAX = 1280;
const TERMINAL_TYPE_BYTES_MAX = 256;
const STDERR = 1;
const END_OF_WRITE = "eow@openssh.com";

export class SshTransport {
  readonly #connection: Connection;
  readonly #protocol: Ssh2Protocol;
  readonly #stream: Duplex;
  readonly #hooks: SshTransportHooks;
  /** Waiting writes, in order. Retried whenever something may have changed. */
  readonly #waiting = new Set<{ readonly channelId: number; retry(): void }>();
  /** Channels whose stdout is no longer sent. */
  readonly #muted = new Set<number>();
  #isClosed = false;
  bytesIn = 0;
  bytesOut = 0;

  /** Create it once ssh2 has announced the connection and it is guarded. */
  constructor(connection: Connection, stream: Duplex, hooks: SshTransportHooks) {
    this.#connection = connection;
    this.#protocol = protocolOf(connection);
    this.#stream = stream;
    this.#hooks = hooks;
    const inspect = this.#protocol.inspectPayload;
    this.#protocol.inspectPayload = (payload) => {
      const check = inspect === undefined ? true : inspect(payload);
      return check === true ? this.#onPayload(payload) : check;
    };
    const write = this.#protocol._onWrite;
    const coalescer = createGatherer(stream);
    this.#protocol._onWrite = (data) => {
      this.bytesOut += data.length;
      coalescer(data.length);
      write(data);
    };
    stream.on("drain", () => this.#retry());
    // At once: data already read may begin the next exchange.
    connection.on("handshake", () => this.#retry());
    stream.once("close", () => this.#close());
  }

  /** The session id, which identifies this transport (RFC 4253 7.2). After the key exchange. */
  sessionId(): Buffer {
    return sessionIdOf(this.#protocol);
  }

  /** SSH blob of the host key that the client was shown. After the key exchange. */
  hostKey(): Buffer {
    return sessionHostKeyOf(this.#protocol);
  }

  /** Text that the client shows at once. Only before authentication ends. */
  sendBanner(text: string): void {
    if (!this.#isClosed) sendMessage(this.#protocol, bannerMessage(`${text}\r\n`));
  }

  /** Debug text: OpenSSH's client shows it with -v. */
  sendDebug(text: string): void {
    if (!this.#isClosed) sendMessage(this.#protocol, debugMessage(text));
  }

  /** Ends the transport with a reason; data sent before is still delivered. */
  disconnect(reason: number, text: string): void {
    if (this.#isClosed || !this.#stream.writable) return;
    sendMessageNow(this.#protocol, disconnectMessage(reason, text));
    this.#stream.end();
  }

  refuseChannel(sender: number, reason: number, text: string): void {
    if (!this.#isClosed) sendMessage(this.#protocol, channelOpenFailure(sender, reason, text));
  }

  /** Confirms a direct channel that `onChannelOpen` kept from ssh2. Null when that is impossible. */
  acceptChannel(open: ChannelOpen): ServerChannel | null {
    return this.#isClosed ? null : acceptChannel(this.#connection, open);
  }

  /** Opens a channel to the client; `fields` are specific to the type. Null when it is refused. */
  openChannel(type: string, fields: Uint8Array): Promise<ServerChannel | null> {
    return this.#isClosed ? Promise.resolve(null) : openChannel(this.#connection, type, fields);
  }

  /**
   * Sends `data` as stdout or stderr of a channel, as fast as the client's window and the transport
   * take it. False when the channel is gone. One call at a time for each of the two.
   */
  writeChannel(channelId: number, kind: "stdout" | "stderr", data: Uint8Array): Promise<boolean> {
    let at = 0;
    const attempt = (): boolean | null => {
      at += this.writeNow(channelId, kind, at === 0 ? data : data.subarray(at));
      if (at === data.length) return true;
      return this.#isMuted(channelId, kind) || this.#openEnds(channelId) === undefined ? false : null;
    };
    const atOnce = attempt();
    if (atOnce !== null) return Promise.resolve(atOnce);
    return new Promise((resolve) => {
      const waiter = {
        channelId,
        retry: () => {
          const outcome = attempt();
          if (outcome === null) return;
          this.#waiting.delete(waiter);
          resolve(outcome);
        },
      };
      this.#waiting.add(waiter);
    });
  }

  /** Sends what it can of `data` at once, ahead of waiting writes. Returns the number of bytes. */
  writeNow(channelId: number, kind: "stdout" | "stderr", data: Uint8Array): number {
    let at = 0;
    while (at < data.length) {
      const ends = this.#openEnds(channelId);
      if (ends === undefined || ends.outgoing.window <= 0 || this.#isBlocked()) break;
      if (this.#isMuted(channelId, kind)) break;
      at += this.#send(ends.outgoing, kind, at === 0 ? data : data.subarray(at));
    }
    return at;
  }

  /** Stops sending a channel's stdout: writes return false from now on. Its stderr continues. */
  muteChannel(channelId: number): void {
    if (this.#openEnds(channelId) === undefined) return;
    this.#muted.add(channelId);
    this.#retry(channelId);
  }

  /** Sends as much of `data` as possible at once; for final messages. */
  tryWriteChannel(channelId: number, kind: "stdout" | "stderr", data: Uint8Array): void {
    const ends = this.#openEnds(channelId);
    if (ends !== undefined && ends.outgoing.window > 0) this.#send(ends.outgoing, kind, data);
  }

  /** Sends the exit status (RFC 4254 section 6.10) if the channel is still open. */
  sendExitStatus(channelId: number, status: number): void {
    const ends = this.#openEnds(channelId);
    if (ends !== undefined) this.#protocol.exitStatus(ends.outgoing.id, status);
  }

  /** Sends the name, without SIG, of the signal that ended it. */
  sendExitSignal(channelId: number, signal: string): void {
    const ends = this.#openEnds(channelId);
    if (ends !== undefined) this.#protocol.exitSignal(ends.outgoing.id, signal, false, "");
  }

  #isMuted(channelId: number, kind: "stdout" | "stderr"): boolean {
    return kind === "stdout" && this.#muted.has(channelId);
  }

  /** Whether more data would only queue: the transport is behind, or a key exchange is running. */
  #isBlocked(): boolean {
    return this.#stream.writableLength > TRANSPORT_BYTES_MAX || this.#protocol._kexinit !== undefined;
  }

  #send(
    outgoing: { readonly id: number; window: number; readonly packetSize: number },
    kind: "stdout" | "stderr",
    data: Uint8Array,
  ): number {
    const length = Math.min(data.length, outgoing.window, outgoing.packetSize, DATA_BYTES_MAX);
    // ssh2 treats anything but a Buffer as text.
    const piece = Buffer.from(data.buffer, data.byteOffset, length);
    if (kind === "stdout") this.#protocol.channelData(outgoing.id, piece);
    else this.#protocol.channelExtData(outgoing.id, piece, STDERR);
    outgoing.window -= length;
    this.#hooks.onActivity();
    return length;
  }

  /** Undefined unless data can still be sent on it. */
  #openEnds(channelId: number): Ssh2ChannelEnds | undefined {
    const ends = this.#isClosed ? undefined : channelEnds(this.#connection, channelId);
    return ends?.outgoing.state === "open" ? ends : undefined;
  }

  /** Retries the waiting writes of one channel, or of all. */
  #retry(channelId?: number): void {
    for (const waiter of [...this.#waiting]) {
      if (channelId === undefined || waiter.channelId === channelId) waiter.retry();
    }
  }

  #close(): void {
    this.#isClosed = true;
    this.#retry();
  }

  /** True: pass on to ssh2. Undefined: handled here. */
  #onPayload(payload: Buffer): true | undefined {
    const type = payload[0];
    this.bytesIn += payload.length;
    switch (type) {
      case MESSAGE.CHANNEL_OPEN:
        return this.#onChannelOpen(payload);
      case MESSAGE.CHANNEL_DATA:
        this.#hooks.onActivity();
        return true;
      case MESSAGE.CHANNEL_REQUEST:
        return this.#onChannelRequest(payload);
      case MESSAGE.CHANNEL_WINDOW_ADJUST:
      // A closed channel must not leave its writers waiting for a window.
      case MESSAGE.CHANNEL_CLOSE: {
        const channelId = payload.length < 5 ? -1 : payload.readUInt32BE(1);
        if (type === MESSAGE.CHANNEL_CLOSE) this.#muted.delete(channelId);
        // ssh2 reads the message after this function has returned.
        queueMicrotask(() => this.#retry(channelId));
        return true;
      }
    }
    return true;
  }

  #onChannelOpen(payload: Buffer): true | undefined {
    const reader = new SshReader(payload.subarray(1));
    const type = reader.text(CHANNEL_TYPE_BYTES_MAX);
    const sender = reader.uint32();
    const window = reader.uint32();
    const packetSize = reader.uint32();
    const rest = Buffer.from(payload.subarray(1 + reader.position));
    const open = { type, sender, window, packetSize, rest };
    return this.#hooks.onChannelOpen(open) ? true : undefined;
  }

  /** Handles requests unknown to ssh2, and terminal modes: ssh2 lacks IUTF8 and passes on names only. */
  #onChannelRequest(payload: Buffer): true | undefined {
    try {
      const reader = new SshReader(payload.subarray(1));
      const channelId = reader.uint32();
      const type = reader.text(CHANNEL_TYPE_BYTES_MAX);
      const wantsReply = reader.uint8() !== 0;
      if (type === END_OF_WRITE && !wantsReply) {
        this.#hooks.onOutputUnread(channelId);
        return undefined;
      }
      if (type !== "pty-req") return true;
      reader.string(TERMINAL_TYPE_BYTES_MAX);
      reader.raw(16);
      this.#hooks.onTerminalModes(channelId, Buffer.from(reader.string(TERMINAL_MODES_BYTES_MAX)));
    } catch (cause) {
      // ssh2 refuses malformed requests.
      if (!(cause instanceof SshBufferError)) throw cause;
    }
    return true;
  }
}
