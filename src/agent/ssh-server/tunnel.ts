/**
 * A forwarded stream: a connected socket joined to an SSH channel.
 *
 * Back-pressure on one side stops the other, so nothing piles up. Either side may end first (EOF). When both
 * have ended, both are closed.
 *
 * @module
 */

import type { ServerChannel } from "ssh2";
import { adoptSocket } from "../../base/adopt-socket.ts";
import { releaseBuffer } from "../../base/release-buffer.ts";
import type { SshTransport } from "../../sshcore/ssh-transport.ts";
import { channelIdOf } from "../../sshcore/ssh2-internals.ts";
import { InputGatherer } from "./input-gatherer.ts";

/** Bytes from the client, and to it. */
export interface Traffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface Tunnel {
  /** Settles when both sides are closed. Never rejects. */
  readonly done: Promise<Traffic>;
  /** Cuts both sides at once. */
  destroy(): void;
}

/** Most bytes from the socket that may wait for the channel. */
const WAITING_BYTES_MAX = 512 * 1024;

/** Joins `fd`, which it takes over, to `channel`. */
export function joinTunnel(transport: SshTransport, channel: ServerChannel, fd: number): Tunnel {
  const tunnel = new SocketTunnel(transport, channel);
  tunnel.connect(fd);
  return tunnel;
}

class SocketTunnel implements Tunnel {
  readonly done: Promise<Traffic>;
  readonly #transport: SshTransport;
  readonly #channel: ServerChannel;
  readonly #channelId: number;
  #finish: (traffic: Traffic) => void = () => {};
  #bytesIn = 0;
  #bytesOut = 0;
  #socket: Bun.Socket | null = null;
  readonly #input = new InputGatherer((data) => this.#hand(data));
  /** From the client, not yet accepted by the socket. */
  #unsent: Buffer | null = null;
  /** From the socket, not yet accepted by the channel. */
  #waitingBytes = 0;
  #writing: Promise<unknown> = Promise.resolve();
  #isPaused = false;
  /** The client has ended its input; below, the socket has ended its output. */
  #isInputOver = false;
  #isOutputOver = false;
  /** The socket accepts no more; further input for it is dropped. */
  #isInputRefused = false;
  #isDone = false;

  constructor(transport: SshTransport, channel: ServerChannel) {
    this.#transport = transport;
    this.#channel = channel;
    this.#channelId = channelIdOf(channel);
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    channel.on("data", (data: Buffer) => this.#onInput(data));
    channel.once("end", () => this.#onInputEnd());
    channel.once("close", () => this.#onChannelClose());
    channel.on("error", () => this.destroy());
  }

  connect(fd: number): void {
    adoptSocket(fd, {
      open: (socket) => {
        this.#socket = socket;
        if (this.#isDone) socket.terminate();
      },
      data: (_socket, data) => this.#onOutput(data),
      drain: () => this.#flush(),
      end: () => this.#onOutputEnd(),
      close: () => this.#onSocketClose(),
      error: () => this.#onSocketClose(),
    }).then(
      (socket) => {
        this.#socket ??= socket;
        socket.setNoDelay(true);
        this.#flush();
      },
      () => this.destroy(),
    );
  }

  destroy(): void {
    this.#channel.close();
    this.#end();
    this.#socket?.terminate();
  }

  #onInput(data: Buffer): void {
    if (this.#isDone) return;
    if (this.#isInputRefused) {
      // As with sshd, a client that writes to an ended stream is told by the channel's close.
      if (this.#isOutputOver) this.#closeBoth();
      return;
    }
    this.#bytesIn += data.length;
    this.#input.add(data);
  }

  /** Copies and keeps what the socket does not accept at once. */
  #hand(data: Buffer): null {
    if (this.#isDone || this.#isInputRefused) return null;
    this.#unsent = this.#unsent === null ? data : Buffer.concat([this.#unsent, data]);
    this.#flush();
    if (this.#unsent !== null) this.#unsent = Buffer.from(this.#unsent);
    return null;
  }

  #onInputEnd(): void {
    this.#input.flush();
    this.#isInputOver = true;
    this.#flush();
  }

  /** Writes what the socket accepts. The channel pauses until everything is written. */
  #flush(): void {
    const socket = this.#socket;
    if (this.#unsent !== null && socket !== null && !this.#isDone) {
      const count = socket.write(this.#unsent);
      if (count < 0) {
        this.#stopInput();
        this.#isInputOver = true;
      } else this.#unsent = count >= this.#unsent.length ? null : this.#unsent.subarray(count);
    }
    if (this.#unsent !== null) {
      this.#channel.pause();
      return;
    }
    this.#channel.resume();
    if (this.#isInputOver && socket !== null && !this.#isDone) {
      // Half-close: the other end may still send.
      if (this.#isOutputOver) this.#closeBoth();
      else socket.shutdown();
    }
  }

  /** The socket's other end reads no more. What it sent before is still delivered. */
  #stopInput(): void {
    this.#unsent = null;
    this.#isInputRefused = true;
  }

  #onOutput(data: Buffer): void {
    if (this.#isDone) return;
    // Most small pieces are sent at once.
    const isFirst = this.#waitingBytes === 0 && !this.#isOutputOver;
    const count = isFirst ? this.#transport.writeNow(this.#channelId, "stdout", data) : 0;
    this.#bytesOut += count;
    if (count < data.length) this.#waitToWrite(data.subarray(count));
    else releaseBuffer(data);
  }

  #waitToWrite(data: Buffer): void {
    this.#waitingBytes += data.length;
    this.#writing = this.#writing.then(async () => {
      const isTaken = this.#isDone || (await this.#transport.writeChannel(this.#channelId, "stdout", data));
      this.#waitingBytes -= data.length;
      releaseBuffer(data);
      if (isTaken && !this.#isDone) this.#bytesOut += data.length;
      if (!isTaken) this.destroy();
      else if (this.#isPaused && this.#waitingBytes < WAITING_BYTES_MAX / 2) {
        this.#isPaused = false;
        if (!this.#isDone) this.#socket?.resume();
      }
    });
    if (this.#isPaused || this.#waitingBytes < WAITING_BYTES_MAX) return;
    this.#isPaused = true;
    this.#socket?.pause();
  }

  #onOutputEnd(): void {
    this.#writing = this.#writing.then(() => {
      if (this.#isOutputOver || this.#isDone) return;
      this.#isOutputOver = true;
      this.#channel.eof();
      if (this.#isInputOver && this.#unsent === null) this.#closeBoth();
    });
  }

  /** Both sides have ended: close in order. */
  #closeBoth(): void {
    this.#channel.close();
    this.#end();
    this.#socket?.end();
  }

  /**
   * The socket is gone and takes no more input. The channel ends when its client ends or writes again. If it
   * were closed at once, a client with unread input would reset the connection to its own program, which
   * would lose the answer.
   */
  #onSocketClose(): void {
    const isWriting = this.#unsent !== null;
    this.#stopInput();
    this.#channel.resume();
    this.#writing = this.#writing.then(() => {
      if (this.#isDone) return;
      if (!this.#isOutputOver) this.#channel.eof();
      this.#isOutputOver = true;
      if (this.#isInputOver || isWriting) this.#closeBoth();
    });
  }

  /** The client closed the channel. What it sent before is still delivered. */
  #onChannelClose(): void {
    if (this.#isDone) return;
    this.#input.flush();
    this.#isInputOver = true;
    this.#isOutputOver = true;
    this.#flush();
  }

  #end(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    // Drop further input.
    this.#channel.resume();
    this.#finish({ bytesIn: this.#bytesIn, bytesOut: this.#bytesOut });
  }
}
