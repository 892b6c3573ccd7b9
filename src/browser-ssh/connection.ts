/**
 * A signed-in connection to a machine: channels, keepalive and end.
 *
 * Channels that the machine asks to open are refused: nothing in a page listens for them.
 *
 * @module
 */
import { SSH } from "../sshcore/permitted.ts";
import { ByteReader, type Bytes, ByteWriter } from "./bytes.ts";
import { Channel, type ChannelListener } from "./channel.ts";
import { SshFailure } from "./failure.ts";
import type { ByteLink } from "./link.ts";
import type { RekeyLimits } from "./rekey-turns.ts";
import { SignIn, type SshIdentity } from "./sign-in.ts";
import { Transport } from "./transport.ts";

const SIGN_IN_TIMEOUT_MS = 30_000;
const KEEPALIVE_MS = 15_000;
const UNANSWERED_MAX = 3;
const CHANNELS_MAX = 64;
const PROHIBITED = 1;

export interface ConnectOptions {
  readonly link: ByteLink;
  readonly hostKeys: readonly Bytes[];
  readonly user: string;
  readonly identity: SshIdentity;
  onBanner(text: string): void;
  readonly rekey?: Partial<RekeyLimits>;
  /** Milliseconds for key exchange and sign-in. Default 30000. */
  readonly timeoutMs?: number;
  /** Milliseconds between keepalives. Default 15000. */
  readonly keepaliveMs?: number;
}

/** Connects and signs in. Rejects with an `SshFailure`. */
export async function connectSsh(options: ConnectOptions): Promise<SshConnection> {
  const connection = new SshConnection(options);
  const timer = setTimeout(
    () => connection.fail(new SshFailure("timeout", "the machine did not answer in time")),
    options.timeoutMs ?? SIGN_IN_TIMEOUT_MS,
  );
  try {
    await connection.signIn(options);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

export class SshConnection {
  readonly #transport: Transport;
  readonly #channels = new Map<number, Channel>();
  #signIn: SignIn | null = null;
  #nextId = 0;
  #unanswered = 0;
  #isOver = false;
  #keepalive: ReturnType<typeof setInterval> | undefined;

  constructor(options: ConnectOptions) {
    const { link, hostKeys, rekey } = options;
    this.#transport = new Transport({
      ...{ link, hostKeys, onMessage: (type, payload) => this.#onMessage(type, payload) },
      ...(rekey === undefined ? {} : { rekey }),
    });
    void this.#transport.closed.then((failure) => {
      this.#isOver = true;
      clearInterval(this.#keepalive);
      const reason = failure ?? new SshFailure("ended", "the connection was closed");
      this.#signIn?.fail(reason);
      for (const channel of [...this.#channels.values()]) channel.end(reason);
      this.#channels.clear();
    });
  }

  /** Settles when the connection ends, with the reason, or null after `close`. */
  get closed(): Promise<SshFailure | null> {
    return this.#transport.closed;
  }

  /** True from the moment at which its channels end with it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Signs in. Called once, by `connectSsh`. */
  async signIn({ user, identity, onBanner, keepaliveMs }: ConnectOptions): Promise<void> {
    void this.#transport.begin();
    const sessionId = await this.#transport.keyed;
    const send = (payload: Bytes) => this.#transport.send(payload);
    this.#signIn = new SignIn(sessionId, { user, identity, send, onBanner });
    await this.#signIn.done;
    this.#keepalive = setInterval(() => this.#ping(), keepaliveMs ?? KEEPALIVE_MS);
  }

  /** Opens a session channel. Rejects with `refused` when the machine refuses it. */
  async open(listener: ChannelListener): Promise<Channel> {
    if (this.#transport.state === "first" || this.#channels.size >= CHANNELS_MAX) {
      throw new SshFailure("refused", "too many sessions are open");
    }
    const id = this.#nextId++;
    const channel = new Channel(id, (payload) => this.#transport.send(payload), listener);
    this.#channels.set(id, channel);
    const closed = this.#transport.closed.then((failure) => {
      throw failure ?? new SshFailure("ended", "the connection was closed");
    });
    await Promise.race([channel.opened, closed]);
    return channel;
  }

  rekey(): Promise<void> {
    return this.#transport.rekey();
  }

  fail(failure: SshFailure): void {
    this.#transport.fail(failure);
  }

  close(): void {
    this.#transport.close();
  }

  #onMessage(type: number, payload: Bytes): void {
    if (type < SSH.GLOBAL_REQUEST) this.#signIn?.onMessage(type, payload);
    else if (type === SSH.GLOBAL_REQUEST) this.#onGlobalRequest(payload);
    else if (type === SSH.CHANNEL_OPEN) this.#refuseChannel(payload);
    else if (type === SSH.REQUEST_SUCCESS || type === SSH.REQUEST_FAILURE) {
      if (this.#unanswered === 0) throw new SshFailure("protocol", "an answer to nothing");
      this.#unanswered = 0;
    } else {
      const reader = new ByteReader(payload.subarray(1));
      const channel = this.#channels.get(reader.uint32());
      if (channel === undefined) throw new SshFailure("protocol", "a message to a channel that is not there");
      if (channel.onMessage(type, reader)) this.#channels.delete(channel.id);
    }
  }

  /** Refuses every request. For a server's keepalive any answer will do. */
  #onGlobalRequest(payload: Bytes): void {
    const reader = new ByteReader(payload.subarray(1));
    reader.text(256);
    if (reader.bool()) this.#transport.send(Uint8Array.of(SSH.REQUEST_FAILURE));
  }

  #refuseChannel(payload: Bytes): void {
    const reader = new ByteReader(payload.subarray(1));
    reader.text(256);
    const answer = new ByteWriter().uint8(SSH.CHANNEL_OPEN_FAILURE).uint32(reader.uint32());
    this.#transport.send(answer.uint32(PROHIBITED).text("nothing may be opened here").text("").done());
  }

  #ping(): void {
    if (this.#unanswered >= UNANSWERED_MAX) {
      this.fail(new SshFailure("lost", "the machine does not answer any more"));
      return;
    }
    this.#unanswered += 1;
    this.#transport.send(
      new ByteWriter().uint8(SSH.GLOBAL_REQUEST).text("keepalive@openssh.com").bool(true).done(),
    );
  }
}
