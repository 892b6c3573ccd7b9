/**
 * The SSH transport (RFC 4253) of a client in a page: identification, strict key exchange, packets in order.
 *
 * `sshcore/permitted.ts` says which messages the machine may send when. Packets are opened several at once,
 * except during key exchange, and handled one at a time. Read `#read`, then `#handle`.
 *
 * @module
 */
import { type GuardState, isUnknownMessage, PERMITTED, SSH } from "../sshcore/permitted.ts";
import { ByteQueue } from "./byte-queue.ts";
import { ByteReader, type Bytes, ByteWriter, utf8, WireError } from "./bytes.ts";
import { printable, SshFailure } from "./failure.ts";
import { agree, kexInit } from "./kex-offer.ts";
import { type Ephemeral, finishExchange, hasMlKem, type NewKeys, newEphemeral } from "./key-exchange.ts";
import type { ByteLink } from "./link.ts";
import { LENGTH_BYTES, type PacketCodec, PLAIN } from "./packet-cipher.ts";
import { type RekeyLimits, RekeyTurns } from "./rekey-turns.ts";

export const CLIENT_IDENT = "SSH-2.0-QuFabric_browser";
const IDENT = /^SSH-2\.0-[!-~][ -~]*$/;
const IDENT_BYTES_MAX = 255;
/** Packets opened concurrently. */
const AHEAD_MAX = 32;
const PREAUTH_PAYLOAD_MAX = 35_000;
const KEXINIT_BYTES_MAX = 8_192;
const TEXT_BYTES_MAX = 4_096;
const BY_APPLICATION = 11;
const PROTOCOL_ERROR = 2;

export interface TransportOptions {
  readonly link: ByteLink;
  /** Blobs of the host keys that management named. */
  readonly hostKeys: readonly Bytes[];
  /** Handles a sign-in or connection message that is permitted now. Throws for a malformed one. */
  onMessage(type: number, payload: Bytes): void;
  readonly rekey?: Partial<RekeyLimits>;
}

export class Transport {
  readonly #options: TransportOptions;
  readonly #queue = new ByteQueue();
  readonly #turns: RekeyTurns;
  #onBytes: (() => void) | null = null;
  #state: GuardState = "first";
  #opener: PacketCodec = PLAIN;
  #sealer: PacketCodec = PLAIN;
  #sending: Promise<void> = Promise.resolve();
  #received = 0;
  #serverIdent = "";
  #ownKexInit: Bytes | null = null;
  #theirKexInit: Bytes | null = null;
  #ephemeral: Ephemeral | null = null;
  #keys: NewKeys | null = null;
  #sessionId: Bytes | null = null;
  /** Messages held until a key exchange ends. */
  readonly #held: Bytes[] = [];
  readonly #keyed = Promise.withResolvers<Bytes>();
  readonly #closed = Promise.withResolvers<SshFailure | null>();
  #isOver = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#turns = new RekeyTurns(options.rekey);
    this.#keyed.promise.catch(() => {});
    options.link.listen({
      onBytes: (bytes, taken) => {
        if (this.#isOver) return;
        this.#queue.push(bytes, taken);
        this.#onBytes?.();
      },
      onEnd: (reason, code) => this.#end(new SshFailure(code, reason)),
    });
  }

  /** Settles with the session id once keys are in use. */
  get keyed(): Promise<Bytes> {
    return this.#keyed.promise;
  }

  /** Settles when the transport ends, with the reason, or null after `close`. */
  get closed(): Promise<SshFailure | null> {
    return this.#closed.promise;
  }

  get state(): GuardState {
    return this.#state;
  }

  async begin(): Promise<void> {
    this.#options.link.send(utf8(`${CLIENT_IDENT}\r\n`));
    try {
      this.#sendKexInit(await hasMlKem());
      await this.#read();
    } catch (error) {
      this.fail(asFailure(error));
    }
  }

  /** Sends a message, after any key exchange in progress. */
  send(payload: Bytes): void {
    if (this.#isOver) return;
    if (this.#ownKexInit !== null) this.#held.push(payload);
    else {
      this.#sendNow(payload);
      if (this.#turns.isDue && this.#state === "open") void this.rekey();
    }
  }

  async rekey(): Promise<void> {
    const kem = await hasMlKem();
    if (this.#ownKexInit === null && this.#state === "open" && !this.#isOver) this.#sendKexInit(kem);
  }

  /** Ends the connection over a fault of the other end, and tells it so. */
  fail(failure: SshFailure): void {
    if (this.#isOver) return;
    if (failure.code !== "lost" && failure.code !== "ended")
      this.#sendNow(disconnect(PROTOCOL_ERROR, failure.message));
    this.#end(failure);
  }

  close(): void {
    if (this.#isOver) return;
    this.#sendNow(disconnect(BY_APPLICATION, "closed by the person"));
    this.#end(null);
  }

  #end(failure: SshFailure | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#queue.clear();
    this.#onBytes?.();
    this.#keyed.reject(failure ?? new SshFailure("ended", "closed"));
    this.#closed.resolve(failure);
    void this.#sending.catch(() => {}).then(() => this.#options.link.close());
  }

  async #read(): Promise<void> {
    this.#serverIdent = await this.#readIdent();
    const ahead: Promise<Bytes>[] = [];
    while (!this.#isOver) {
      const most = this.#isSerial ? 1 : AHEAD_MAX;
      for (let packet = this.#next(ahead.length < most); packet !== null; ) {
        const opening = this.#opener.open(packet);
        opening.catch(() => {});
        ahead.push(opening);
        packet = this.#next(ahead.length < most);
      }
      const first = ahead.shift();
      if (first === undefined) await this.#more();
      else await this.#handle(await first);
    }
  }

  /** During a key exchange the next packet may use other keys. */
  get #isSerial(): boolean {
    return this.#ownKexInit !== null || this.#state === "first" || this.#keys !== null;
  }

  #next(isWanted: boolean): Bytes | null {
    if (!isWanted || this.#isOver || this.#queue.length < LENGTH_BYTES) return null;
    const size = this.#opener.sizeOf(this.#queue.uint32());
    return this.#queue.length < size ? null : this.#queue.take(size);
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#onBytes = () => {
        this.#onBytes = null;
        resolve();
      };
    });
  }

  async #readIdent(): Promise<string> {
    for (let at = 0; ; at++) {
      if (at >= IDENT_BYTES_MAX) throw new SshFailure("protocol", "the machine does not speak SSH");
      while (this.#queue.length <= at && !this.#isOver) await this.#more();
      if (this.#isOver) return "";
      if (this.#queue.at(at) !== 0x0a) continue;
      const line = new TextDecoder("latin1").decode(this.#queue.take(at + 1)).replace(/\r?\n$/, "");
      if (!IDENT.test(line)) throw new SshFailure("protocol", "the machine does not speak SSH");
      return line;
    }
  }

  async #handle(payload: Bytes): Promise<void> {
    if (this.#isOver) return;
    const type = payload[0] ?? 0;
    const state = this.#state;
    this.#received = (this.#received + 1) >>> 0;
    if (state !== "open" && payload.length > PREAUTH_PAYLOAD_MAX) throw outOfPlace(type, state);
    if (!PERMITTED.client[state].includes(type)) {
      if (state !== "open" || !isUnknownMessage(type)) throw outOfPlace(type, state);
      this.send(
        new ByteWriter()
          .uint8(SSH.UNIMPLEMENTED)
          .uint32(this.#received - 1)
          .done(),
      );
      return;
    }
    if (state === "keyed") this.#state = "service";
    this.#turns.count(payload.length);
    if (type === SSH.DISCONNECT) throw goodbye(payload);
    if (type === SSH.KEXINIT) return this.#onKexInit(payload);
    if (type === SSH.KEX_ECDH_REPLY) return this.#onReply(payload);
    if (type === SSH.NEWKEYS) return this.#onNewKeys();
    if (type === SSH.PING) this.send(new ByteWriter().uint8(SSH.PONG).raw(payload.subarray(1)).done());
    if (type <= SSH.DEBUG || type === SSH.PING || type === SSH.PONG || type === SSH.EXT_INFO) return;
    if (type === SSH.SERVICE_ACCEPT) this.#state = "auth";
    if (type === SSH.USERAUTH_SUCCESS) this.#state = "open";
    this.#options.onMessage(type, payload);
  }

  async #onKexInit(payload: Bytes): Promise<void> {
    if (payload.length > KEXINIT_BYTES_MAX) throw new SshFailure("protocol", "a KEXINIT that is too long");
    const isFirst = this.#state === "first";
    const kem = await hasMlKem();
    if (this.#ownKexInit === null) {
      this.#turns.begunByThem();
      this.#sendKexInit(kem);
    }
    this.#state = isFirst ? "kex" : "rekey";
    this.#theirKexInit = payload;
    this.#ephemeral = await newEphemeral(agree(payload, isFirst, kem));
    this.#sendNow(this.#ephemeral.message);
  }

  async #onReply(payload: Bytes): Promise<void> {
    const { hostKeys } = this.#options;
    const [ephemeral, clientKexInit, serverKexInit] = [this.#ephemeral, this.#ownKexInit, this.#theirKexInit];
    if (ephemeral === null || clientKexInit === null || serverKexInit === null)
      throw outOfPlace(SSH.KEX_ECDH_REPLY, this.#state);
    const idents = { clientIdent: CLIENT_IDENT, serverIdent: this.#serverIdent };
    const seen = { ...idents, clientKexInit, serverKexInit };
    const keys = await finishExchange(payload, { ephemeral, seen, hostKeys, sessionId: this.#sessionId });
    this.#sendNow(Uint8Array.of(SSH.NEWKEYS));
    this.#sealer = keys.toServer;
    this.#keys = keys;
    this.#ephemeral = null;
    this.#theirKexInit = null;
    this.#state = this.#state === "kex" ? "newkeys" : "rekey-newkeys";
  }

  #onNewKeys(): void {
    const keys = this.#keys;
    if (keys === null) throw outOfPlace(SSH.NEWKEYS, this.#state);
    this.#opener = keys.toClient;
    this.#keys = null;
    this.#ownKexInit = null;
    this.#received = 0;
    this.#turns.finished();
    if (this.#state === "newkeys") {
      this.#state = "keyed";
      this.#sessionId = keys.sessionId;
      this.#keyed.resolve(keys.sessionId);
    } else this.#state = "open";
    for (const payload of this.#held.splice(0)) this.send(payload);
  }

  #sendKexInit(kem: boolean): void {
    this.#ownKexInit = kexInit(this.#sessionId === null, kem);
    this.#sendNow(this.#ownKexInit);
  }

  #sendNow(payload: Bytes): void {
    this.#turns.count(payload.length);
    const sealing = this.#sealer.seal(payload);
    sealing.catch(() => {});
    this.#sending = this.#sending.then(async () => this.#options.link.send(await sealing));
    // A packet that cannot be sealed ends the connection: no other may follow it, and no caller waits for the
    // result.
    this.#sending.catch((error) => this.#end(asFailure(error)));
  }
}

/** Wraps an error as an `SshFailure`. */
export function asFailure(error: unknown): SshFailure {
  if (error instanceof SshFailure) return error;
  const text = error instanceof WireError ? "a malformed message" : "the connection broke";
  return new SshFailure("protocol", text, { cause: error });
}

function disconnect(reason: number, text: string): Bytes {
  return new ByteWriter().uint8(SSH.DISCONNECT).uint32(reason).text(text).text("").done();
}

function goodbye(payload: Bytes): SshFailure {
  const reader = new ByteReader(payload.subarray(1));
  reader.uint32();
  return new SshFailure(
    "ended",
    printable(reader.text(TEXT_BYTES_MAX)) || "the machine closed the connection",
  );
}

function outOfPlace(type: number, state: GuardState): SshFailure {
  return new SshFailure("protocol", `message ${type} in state ${state}`);
}
