/**
 * Dials a stream through the relay on the best way there: a plain connection where management offers one, and
 * beside it after a while the WebSocket.
 *
 * A plain connection has no frames and no TLS, so its descriptor can be handed to ssh(1).
 *
 * @module
 */
import type { Socket } from "node:net";
import { relayLine } from "../wire/relay-plain.ts";
import { dialDirect } from "./dial.ts";
import { formatHostPort } from "./host-port.ts";
import type { RelayDialOptions } from "./relay-client.ts";

/** Head start of the plain connection. */
const HEAD_START_MS = 1_000;

export interface PlainRelayOptions<Relayed> {
  /** Management's origin. */
  readonly origin: string;
  /** Port of the plain listener, at the origin's host. */
  readonly port: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly peek?: ((socket: Socket) => "answer" | "closed" | "nothing") | undefined;
  /** A fresh hello, without its newline, and its proof; once for each way, as each is accepted once. */
  prove(): Pick<RelayDialOptions, "hello" | "proof">;
  /** Opens the stream on the WebSocket path. */
  other(signal: AbortSignal): Promise<Relayed>;
}

/**
 * The stream on which the peer answered first. Throws the failure of the WebSocket path, which knows the
 * reason, when neither leads to the peer; or `signal`'s abort reason.
 */
export async function dialRelayPlainly<Relayed extends { destroy(): unknown }>(
  options: PlainRelayOptions<Relayed>,
): Promise<Relayed | Socket> {
  const { origin, port, timeoutMs, signal, peek } = options;
  signal?.throwIfAborted();
  const ended = new AbortController();
  const onAbort = () => ended.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const { promise, resolve, reject } = Promise.withResolvers<Relayed | Socket>();
  let isOver = false;
  let isPlainOver = false;
  let otherFailure: { readonly cause: unknown } | null = null;
  const win = (stream: Relayed | Socket) => {
    if (isOver) stream.destroy();
    isOver = true;
    resolve(stream);
  };
  const lose = () => {
    if (isPlainOver && otherFailure !== null) reject(otherFailure.cause);
  };
  const tryOther = () => {
    clearTimeout(headStart);
    if (isTrying || isOver) return;
    isTrying = true;
    options.other(ended.signal).then(win, (cause: unknown) => {
      otherFailure = { cause };
      lose();
    });
  };
  let isTrying = false;
  const headStart = setTimeout(tryOther, HEAD_START_MS);
  dialDirect({
    addresses: [formatHostPort(hostOf(origin), port)],
    helloFor: () => relayLine(options.prove()),
    timeoutMs,
    signal: ended.signal,
    ...(peek === undefined ? {} : { peek }),
  }).then(
    ({ socket }) => win(socket),
    () => {
      isPlainOver = true;
      tryOther();
      lose();
    },
  );
  try {
    return await promise;
  } finally {
    isOver = true;
    clearTimeout(headStart);
    signal?.removeEventListener("abort", onAbort);
    ended.abort();
  }
}

/** The host of an origin, an IPv6 address without its brackets. */
function hostOf(origin: string): string {
  return new URL(origin).hostname.replace(/^\[|\]$/g, "");
}
