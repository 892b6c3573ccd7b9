/**
 * A session channel (RFC 4254 section 5) with flow control. The machine sends only within the window, and the
 * window reopens once a terminal has drawn the bytes or a file has stored them.
 *
 * @module
 */
import { SSH } from "../sshcore/permitted.ts";
import { type ByteReader, type Bytes, ByteWriter } from "./bytes.ts";
import { SshFailure } from "./failure.ts";

export const WINDOW_BYTES = 2 * 1024 * 1024;
export const PACKET_DATA_MAX = 32 * 1024;
const UINT32_MAX = 0xffff_ffff;
const NAME_BYTES_MAX = 256;
/** Our requests that await an answer. */
const REQUESTS_MAX = 64;

export interface ChannelListener {
  /** `used` reopens the window by as many bytes. */
  onData(bytes: Bytes, isError: boolean, used: () => void): void;
  onEof?(): void;
  /** Takes a request of the machine that needs nothing but to be noted: exit-status and the like. */
  onRequest?(name: string, reader: ByteReader): void;
}

export class Channel {
  readonly id: number;
  readonly #send: (payload: Bytes) => void;
  readonly #listener: ChannelListener;
  #remoteId: number | null = null;
  /** Bytes that we may still send, and the most in one packet. */
  #room = 0;
  #packetMax = 0;
  /** Bytes that the machine may still send, and consumed bytes not yet granted again. */
  #granted = WINDOW_BYTES;
  #used = 0;
  #hasEof = false;
  #hasSentEof = false;
  #hasSentClose = false;
  #isOver = false;
  readonly #writes: { bytes: Bytes; done: () => void; fail: (error: Error) => void }[] = [];
  readonly #requests: PromiseWithResolvers<void>[] = [];
  readonly #opened = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();

  constructor(id: number, send: (payload: Bytes) => void, listener: ChannelListener) {
    this.id = id;
    this.#send = send;
    this.#listener = listener;
    send(
      new ByteWriter()
        .uint8(SSH.CHANNEL_OPEN)
        .text("session")
        .uint32(id)
        .uint32(WINDOW_BYTES)
        .uint32(PACKET_DATA_MAX)
        .done(),
    );
  }

  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Settles when the machine has closed the channel or the connection is gone. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Settles when the last byte has been handed to the transport. */
  write(bytes: Bytes): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#isOver || this.#hasSentEof || this.#hasSentClose) reject(gone());
    else this.#writes.push({ bytes, done: resolve, fail: reject });
    this.#flush();
    return promise;
  }

  eof(): void {
    if (this.#remoteId === null || this.#hasSentEof || this.#hasSentClose) return;
    this.#hasSentEof = true;
    this.#send(this.#message(SSH.CHANNEL_EOF).done());
  }

  close(): void {
    if (this.#remoteId === null || this.#hasSentClose) return;
    this.#hasSentClose = true;
    this.#send(this.#message(SSH.CHANNEL_CLOSE).done());
  }

  /** Sends a request. Rejects with `refused` when the machine refuses it. */
  async request(name: string, fill: (writer: ByteWriter) => ByteWriter = (w) => w): Promise<void> {
    if (this.#isOver || this.#hasSentClose || this.#requests.length >= REQUESTS_MAX) throw gone();
    const answer = Promise.withResolvers<void>();
    this.#requests.push(answer);
    this.#send(fill(this.#message(SSH.CHANNEL_REQUEST).text(name).bool(true)).done());
    await answer.promise;
  }

  /** Sends a request that asks for no answer. */
  tell(name: string, fill: (writer: ByteWriter) => ByteWriter): void {
    if (this.#isOver || this.#hasSentClose || this.#remoteId === null) return;
    this.#send(fill(this.#message(SSH.CHANNEL_REQUEST).text(name).bool(false)).done());
  }

  /** Handles a message. True: the channel is closed. */
  onMessage(type: number, reader: ByteReader): boolean {
    if (this.#remoteId === null) return this.#onAnswer(type, reader);
    if (type === SSH.CHANNEL_WINDOW_ADJUST) this.#onAdjust(reader.uint32());
    else if (type === SSH.CHANNEL_DATA) this.#onData(reader.string(this.#granted), false);
    else if (type === SSH.CHANNEL_EXTENDED_DATA) {
      reader.uint32();
      this.#onData(reader.string(this.#granted), true);
    } else if (type === SSH.CHANNEL_EOF) this.#onEof();
    else if (type === SSH.CHANNEL_REQUEST) this.#onRequest(reader);
    else if (type === SSH.CHANNEL_SUCCESS) this.#answered().resolve();
    else if (type === SSH.CHANNEL_FAILURE) {
      this.#answered().reject(new SshFailure("refused", "the machine does not allow this"));
    } else if (type === SSH.CHANNEL_CLOSE) {
      this.close();
      this.end(gone());
      return true;
    } else throw new SshFailure("protocol", "an answer to a channel that is open already");
    return false;
  }

  /** Ends the channel, on whichever side it was closed. */
  end(failure: SshFailure): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#opened.reject(failure);
    this.#opened.promise.catch(() => {});
    for (const { fail } of this.#writes.splice(0)) fail(failure);
    for (const { reject } of this.#requests.splice(0)) reject(failure);
    this.#closed.resolve();
  }

  #onAnswer(type: number, reader: ByteReader): boolean {
    if (type === SSH.CHANNEL_OPEN_CONFIRMATION) {
      this.#remoteId = reader.uint32();
      this.#room = reader.uint32();
      this.#packetMax = Math.min(reader.uint32(), PACKET_DATA_MAX);
      if (this.#packetMax === 0) throw new SshFailure("protocol", "a channel that takes no packets");
      this.#opened.resolve();
      return false;
    }
    if (type !== SSH.CHANNEL_OPEN_FAILURE) throw new SshFailure("protocol", "a channel that was not opened");
    reader.uint32();
    const text = reader.text(4_096);
    this.end(new SshFailure("refused", text === "" ? "the machine opens no session" : text));
    return true;
  }

  #onAdjust(bytes: number): void {
    this.#room += bytes;
    if (this.#room > UINT32_MAX) throw new SshFailure("protocol", "a window beyond all bounds");
    this.#flush();
  }

  #onData(bytes: Bytes, isError: boolean): void {
    if (this.#hasEof) throw new SshFailure("protocol", "data after the end of data");
    this.#granted -= bytes.length;
    let isUsed = false;
    this.#listener.onData(bytes, isError, () => {
      if (isUsed) return;
      isUsed = true;
      this.#makeRoom(bytes.length);
    });
  }

  /** Adjusts the window in steps of a quarter of it, not for every packet. */
  #makeRoom(bytes: number): void {
    this.#used += bytes;
    if (this.#used < WINDOW_BYTES / 4 || this.#hasEof || this.#isOver || this.#hasSentClose) return;
    this.#granted += this.#used;
    this.#send(this.#message(SSH.CHANNEL_WINDOW_ADJUST).uint32(this.#used).done());
    this.#used = 0;
  }

  #onEof(): void {
    if (this.#hasEof) throw new SshFailure("protocol", "a second end of data");
    this.#hasEof = true;
    this.#listener.onEof?.();
  }

  #onRequest(reader: ByteReader): void {
    const name = reader.text(NAME_BYTES_MAX);
    const wantsAnswer = reader.bool();
    this.#listener.onRequest?.(name, reader);
    if (wantsAnswer && !this.#hasSentClose) this.#send(this.#message(SSH.CHANNEL_FAILURE).done());
  }

  #answered(): PromiseWithResolvers<void> {
    const answer = this.#requests.shift();
    if (answer === undefined) throw new SshFailure("protocol", "an answer to nothing");
    return answer;
  }

  #flush(): void {
    for (let [next] = this.#writes; next !== undefined; [next] = this.#writes) {
      if (next.bytes.length > 0 && this.#room === 0) return;
      const part = next.bytes.subarray(0, Math.min(this.#room, this.#packetMax));
      if (part.length > 0) this.#send(this.#message(SSH.CHANNEL_DATA).string(part).done());
      this.#room -= part.length;
      next.bytes = next.bytes.subarray(part.length);
      if (next.bytes.length > 0) continue;
      this.#writes.shift();
      next.done();
    }
  }

  #message(type: number): ByteWriter {
    return new ByteWriter().uint8(type).uint32(this.#remoteId ?? 0);
  }
}

function gone(): SshFailure {
  return new SshFailure("lost", "the session is over");
}
