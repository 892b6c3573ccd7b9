/**
 * Both ends of the relay: a client dials one stream (`dialRelay`); a machine registers and accepts streams
 * (`offerToRelay`).
 *
 * The relay is not trusted: the machine checks each stream's hello against its own map, as on its direct
 * listener, and SSH proves the rest end to end. Frames are in `wire/relay.ts`.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { type Ed25519Key, signEd25519, verifyEd25519 } from "../base/ed25519.ts";
import { QfError } from "../base/errors.ts";
import { parseJson } from "../base/files.ts";
import {
  decodeRelayFrame,
  encodeRelayFrame,
  RELAY_AGENT_PATH,
  RELAY_BESIDE_HEADER,
  RELAY_CLIENT_PATH,
  RELAY_CREDIT_INITIAL,
  RELAY_FRAME,
  RELAY_HELLO_HEADER,
  RELAY_PING_MS,
  RELAY_PROOF_HEADER,
  RELAY_TIMEOUT_MS,
  RelayAgentProof,
  type RelayFrame,
  RelayOpen,
  resetFrame,
} from "../wire/relay.ts";
import { signedBytes } from "../wire/signed-fields.ts";
import type { EpochSeconds, PeerId } from "../wire/units.ts";
import type { HelloScope } from "./hello.ts";
import { RelayStream } from "./relay-stream.ts";

/** Most streams of one machine at once. */
export const RELAY_STREAMS_MAX = 2_048;
/** Unread bytes that all streams of one machine may hold together, beyond their initial credit. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;

/** A client's proof that it opens this stream itself: a hello alone could have been read in transit. */
export function signRelayDial(deviceKey: Ed25519Key, scope: HelloScope, hello: string): string {
  return signEd25519(deviceKey, signedBytes("relay", scope, { hello }));
}

/** Whether `signature` is the proof of `signRelayDial` for this hello, by the device's public key. */
export function isRelayDialProof(
  publicKey: string,
  scope: HelloScope,
  hello: string,
  signature: string,
): boolean {
  return verifyEd25519(publicKey, signedBytes("relay", scope, { hello }), signature);
}

/** A machine's proof for its relay link: the value of `RELAY_PROOF_HEADER`. Valid once. */
export function signRelayServe(options: {
  readonly deviceKey: Ed25519Key;
  readonly scope: HelloScope;
  readonly peerId: PeerId;
  readonly nowSeconds: EpochSeconds;
}): string {
  const { deviceKey, scope, peerId, nowSeconds } = options;
  const nonce = randomBytes(16).toString("base64url");
  const proof: RelayAgentProof = { peerId, timeSeconds: nowSeconds, nonce };
  const signature = signEd25519(deviceKey, signedBytes("relay", scope, serveFields(proof)));
  return `${Buffer.from(JSON.stringify(proof)).toString("base64url")} ${signature}`;
}

export interface ParsedServeProof {
  readonly proof: RelayAgentProof;
  /** Whether `publicKey` signed it. */
  isBy(publicKey: string, scope: HelloScope): boolean;
}

/** The unverified proof in a header value. Null when malformed. */
export function parseRelayServe(value: string): ParsedServeProof | null {
  const [, body, signature] = /^([A-Za-z0-9_-]{1,512}) ([A-Za-z0-9_-]{86})$/.exec(value) ?? [];
  if (body === undefined || signature === undefined) return null;
  const parsed = RelayAgentProof.safeParse(parseJson(Buffer.from(body, "base64url").toString("utf8")));
  if (!parsed.success) return null;
  const { data: proof } = parsed;
  return {
    proof,
    isBy: (publicKey, scope) =>
      verifyEd25519(publicKey, signedBytes("relay", scope, serveFields(proof)), signature),
  };
}

/** The order is part of the signature. */
function serveFields({ peerId, timeSeconds, nonce }: RelayAgentProof) {
  return { peerId, timeSeconds, nonce };
}

export interface RelayDialOptions {
  /** Management's origin, where the relay is. */
  readonly origin: string;
  /** A fresh hello, without its newline. */
  readonly hello: string;
  /** From `signRelayDial`. */
  readonly proof: string;
  /** Time limit for the peer's answer, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a stream through the relay. Resolves once the peer has sent a byte, which is still in the stream.
 * Throws ERR_PEER_UNREACHABLE with the relay's reason, or `signal`'s abort reason.
 */
export async function dialRelay(options: RelayDialOptions): Promise<RelayStream> {
  const { origin, hello, proof, signal } = options;
  signal?.throwIfAborted();
  const socket = openSocket(origin, RELAY_CLIENT_PATH, {
    [RELAY_HELLO_HEADER]: hello,
    [RELAY_PROOF_HEADER]: proof,
  });
  const { promise, resolve, reject } = Promise.withResolvers<RelayStream>();
  let hasOpened = false;
  const link = keepAlive(socket, () => stream.cut("lost"));
  const stream = new RelayStream({
    sendsCopy: true,
    id: 0,
    send: (frame) => link.send(frame),
    onAnswer: () => resolve(stream),
    onClosed: () => link.close(),
  });
  socket.onopen = () => {
    hasOpened = true;
    link.opened();
  };
  link.onFrame = (frame) => stream.receive(frame);
  socket.onclose = () => {
    link.close();
    if (hasOpened) stream.cut("lost");
    else stream.destroy(unreachableRelay(origin));
  };
  const timer = setTimeout(() => stream.destroy(noAnswer()), options.timeoutMs);
  const onAbort = () => stream.destroy(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const onError = (error: Error) => reject(error);
  const onClose = () => reject(noAnswer());
  stream.on("error", onError).on("close", onClose);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    stream.off("close", onClose);
    if (stream.destroyed) stream.on("error", () => {});
    else stream.off("error", onError);
  }
}

export interface RelayOfferOptions {
  readonly origin: string;
  /** An earlier agent's link continues to serve its streams. */
  readonly isBeside?: boolean;
  /** From `signRelayServe`. */
  readonly proof: string;
  /** The link is open. Called at most once. */
  onUp(): void;
  /** The link is gone, or was never opened. Called once. */
  onDown(): void;
  /**
   * A stream arrived, with an unverified hello. True: taken over. False: it is ended, and its client is not
   * told why.
   */
  onStream(open: RelayOpen, stream: RelayStream): boolean;
}

export interface RelayOffer {
  /** Streams open now. */
  readonly streams: number;
  close(): void;
}

/** Opens a machine's link to the relay. A lost link is not reopened. */
export function offerToRelay(options: RelayOfferOptions): RelayOffer {
  const streams = new Map<number, RelayStream>();
  const beside = options.isBeside === true ? { [RELAY_BESIDE_HEADER]: "1" } : {};
  const headers = { [RELAY_PROOF_HEADER]: options.proof, ...beside };
  const socket = openSocket(options.origin, RELAY_AGENT_PATH, headers);
  let isDown = false;
  const down = () => {
    if (isDown) return;
    isDown = true;
    link.close();
    for (const stream of [...streams.values()]) stream.cut("lost");
    options.onDown();
  };
  const link = keepAlive(socket, down);
  const windowBytes = () => Math.max(RELAY_CREDIT_INITIAL, HELD_BYTES_MAX / Math.max(1, streams.size));

  function open(frame: RelayFrame): void {
    const { streamId } = frame;
    const parsed = RelayOpen.safeParse(parseJson(frame.payload.toString("utf8")));
    if (!parsed.success || streams.has(streamId) || streams.size >= RELAY_STREAMS_MAX) {
      link.send(resetFrame(streamId, streams.size >= RELAY_STREAMS_MAX ? "limit" : "violation"));
      return;
    }
    const stream = new RelayStream({
      sendsCopy: true,
      id: streamId,
      send: (out) => link.send(out),
      windowBytes,
      onClosed: () => streams.delete(streamId),
    });
    streams.set(streamId, stream);
    if (!options.onStream(parsed.data, stream)) stream.destroy();
  }

  link.onFrame = (frame) => {
    if (frame.type === RELAY_FRAME.open) open(frame);
    else streams.get(frame.streamId)?.receive(frame);
  };
  socket.onopen = () => {
    if (isDown) return;
    link.opened();
    options.onUp();
  };
  socket.onclose = down;
  return {
    get streams() {
      return streams.size;
    },
    close: down,
  };
}

interface Link {
  onFrame: (frame: RelayFrame) => void;
  opened(): void;
  send(frame: Buffer): void;
  close(): void;
}

/** Keeps one socket alive: sends and answers pings, and ends it on silence or an invalid frame. */
function keepAlive(socket: WebSocket, onDead: () => void): Link {
  let heardAtMs = performance.now();
  let timer: ReturnType<typeof setInterval> | undefined;
  let isClosed = false;
  const send = (frame: Buffer) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(frame as Buffer<ArrayBuffer>);
  };
  const link: Link = {
    onFrame: () => {},
    opened() {
      heardAtMs = performance.now();
      timer = setInterval(() => {
        if (performance.now() - heardAtMs > RELAY_TIMEOUT_MS) {
          link.close();
          onDead();
        } else send(encodeRelayFrame(RELAY_FRAME.ping, 0));
      }, RELAY_PING_MS);
    },
    send,
    close() {
      if (isClosed) return;
      isClosed = true;
      clearInterval(timer);
      socket.close();
    },
  };
  socket.onerror = () => {};
  socket.onmessage = ({ data }: { data: unknown }) => {
    if (isClosed) return;
    heardAtMs = performance.now();
    const frame = decodeRelayFrame(data);
    if (frame === undefined) {
      link.close();
      onDead();
    } else if (frame.type === RELAY_FRAME.ping) send(encodeRelayFrame(RELAY_FRAME.pong, 0));
    else if (frame.type !== RELAY_FRAME.pong) link.onFrame(frame);
  };
  return link;
}

function openSocket(origin: string, path: string, headers: Record<string, string>): WebSocket {
  const url = new URL(`${origin}${path}`);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  // Bun extensions: headers, and messages as Buffers.
  const socket = new WebSocket(url, { headers } as object as string[]);
  (socket as { binaryType: string }).binaryType = "nodebuffer";
  return socket;
}

function unreachableRelay(origin: string): QfError {
  return new QfError("ERR_PEER_UNREACHABLE", `the relay at ${origin} cannot be reached`, {
    hint: "check the network to management; if it is there, sign in again with qf login",
  });
}

function noAnswer(): QfError {
  return new QfError("ERR_PEER_UNREACHABLE", "the peer did not answer through the relay", {
    hint: "look at qf agent status -d on the peer, and whether a policy lets this device reach it",
  });
}
