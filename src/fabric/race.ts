/**
 * Dials a peer by its direct addresses and through the relay: a race, in which the direct addresses have a
 * head start. The first path on which the peer answers wins, and a stream stays on its path.
 *
 * Read `dialPeer`. `trace` is told each step, in words for people.
 *
 * @module
 */
import type { Ed25519Key } from "../base/ed25519.ts";
import { isQfError, QfError } from "../base/errors.ts";
import type { EpochSeconds, PeerId, Port } from "../wire/units.ts";
import { type DialOptions, dialDirect } from "./dial.ts";
import { type HelloScope, makeHello } from "./hello.ts";
import type { KnownPath, PathMemory } from "./path-memory.ts";
import { dialRelay, type RelayDialOptions, signRelayDial } from "./relay-client.ts";
import type { RelayStream } from "./relay-stream.ts";

/** Head start of the direct addresses, by how the peer was reached last. */
const HEAD_START_MS = { unknown: 150, direct: 500, relay: 50 } as const;
/** Between direct addresses; shorter than where they are the only way, so that all have their try. */
const STAGGER_MS = 50;
/** Longest wait for all of it by default. */
const TIMEOUT_MS = 10_000;

export interface PeerDialOptions<Relayed extends Destroyable = RelayStream> {
  readonly deviceKey: Ed25519Key;
  /** Its origin is where the relay is. */
  readonly scope: HelloScope;
  readonly source: PeerId;
  readonly target: PeerId;
  readonly port: Port;
  /** Direct addresses, best first; may be empty. */
  readonly addresses: readonly string[];
  nowSeconds(): EpochSeconds;
  readonly memory?: PathMemory | undefined;
  /** Milliseconds for all of it. Default 10000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For a direct connection whose descriptor is handed on; see `dialDirect`. */
  readonly peek?: DialOptions["peek"];
  /** Opens the relayed stream in another way; what it gives is what comes back. Absent: `dialRelay`. */
  readonly relay?: ((options: RelayDialOptions) => Promise<Relayed>) | undefined;
  readonly trace?: (line: string) => void;
}

/** What can be let go of when another path was quicker. */
export interface Destroyable {
  destroy(): unknown;
}

/** A stream on which the peer has answered; its first byte is still in it. */
export type PeerStream<Relayed extends Destroyable = RelayStream> =
  | ({ readonly path: "direct"; readonly stream: DialSocket; readonly address: string } & Chosen)
  | ({ readonly path: "relay"; readonly stream: Relayed } & Chosen);

interface Chosen {
  /** Why this path and not the other, for people. */
  readonly why: string;
  /** Milliseconds from the first attempt to the peer's first byte. */
  readonly tookMs: number;
}
type DialSocket = Awaited<ReturnType<typeof dialDirect>>["socket"];

/** Throws ERR_PEER_UNREACHABLE when no path leads there in time, and `signal`'s reason. */
export async function dialPeer<Relayed extends Destroyable = RelayStream>(
  options: PeerDialOptions<Relayed>,
): Promise<PeerStream<Relayed>> {
  const { memory, target, trace = () => {} } = options;
  const known = await memory?.recall(target);
  const won = await race(options, known);
  const took = `after ${Math.round(won.tookMs)} ms: ${won.why}`;
  if (won.path === "direct") trace(`connected directly to ${won.address} ${took}`);
  else trace(`connected through the relay at ${options.scope.origin} ${took}`);
  const found = won.path === "direct" ? { path: won.path, address: won.address } : { path: won.path };
  // Nobody waits for it.
  void memory?.remember(target, found, options.nowSeconds());
  return won;
}

async function race<Relayed extends Destroyable>(
  options: PeerDialOptions<Relayed>,
  known: KnownPath | undefined,
): Promise<PeerStream<Relayed>> {
  const { signal, trace = () => {} } = options;
  signal?.throwIfAborted();
  const addresses = ordered(options.addresses, known);
  const losers = new AbortController();
  const onAbort = () => losers.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const { promise, resolve, reject } = Promise.withResolvers<PeerStream<Relayed>>();
  const failures: { direct?: unknown; relay?: unknown } = {};
  let isSettled = false;
  /** Why the relay is tried. Null: it is not. */
  let whyRelay: string | null = null;
  const startedMs = performance.now();
  let headStart: ReturnType<typeof setTimeout> | undefined;

  const choose = (why: string): Chosen | null => {
    if (isSettled) return null;
    isSettled = true;
    return { why, tookMs: performance.now() - startedMs };
  };
  const winDirectly = (socket: DialSocket, address: string) => {
    const chosen = choose(whyRelay === null ? "it answered at once" : "it answered before the relay");
    if (chosen === null) socket.destroy();
    else resolve({ path: "direct", stream: socket, address, ...chosen });
  };
  const winByRelay = (stream: Relayed) => {
    const chosen = choose(whyRelay ?? "");
    if (chosen === null) stream.destroy();
    else resolve({ path: "relay", stream, ...chosen });
  };
  const lose = (path: "direct" | "relay", cause: unknown) => {
    failures[path] = cause;
    if (isSettled) return;
    trace(`${path === "direct" ? "no direct path" : "no path through the relay"}: ${messageOf(cause)}`);
    if (path === "direct") beginRelay(messageOf(cause));
    if ("direct" in failures && "relay" in failures) reject(combined(failures));
  };
  const beginRelay = (why: string) => {
    clearTimeout(headStart);
    if (whyRelay !== null || isSettled) return;
    whyRelay = why;
    trace(`trying the relay: ${why}`);
    const hello = helloOf(options).trimEnd();
    const { deviceKey, scope, timeoutMs = TIMEOUT_MS } = options;
    const proof = signRelayDial(deviceKey, scope, hello);
    // Without another way given, `Relayed` is what `dialRelay` gives.
    const open = options.relay ?? (dialRelay as (options: RelayDialOptions) => Promise<never>);
    open({ origin: scope.origin, hello, proof, timeoutMs, signal: losers.signal }).then(
      (stream) => winByRelay(stream),
      (cause: unknown) => lose("relay", cause),
    );
  };

  if (addresses.length === 0) lose("direct", noAddress());
  else {
    const waitMs = HEAD_START_MS[known?.path ?? "unknown"];
    headStart = setTimeout(beginRelay, waitMs, `no direct answer within ${waitMs} ms`);
    dialDirect({
      addresses,
      staggerMs: STAGGER_MS,
      helloFor: () => helloOf(options),
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      signal: losers.signal,
      ...(options.peek === undefined ? {} : { peek: options.peek }),
    }).then(
      ({ socket, address }) => winDirectly(socket, address),
      (cause: unknown) => lose("direct", cause),
    );
  }
  try {
    return await promise;
  } catch (cause) {
    signal?.throwIfAborted();
    throw cause;
  } finally {
    isSettled = true;
    clearTimeout(headStart);
    signal?.removeEventListener("abort", onAbort);
    losers.abort(new QfError("ERR_PEER_UNREACHABLE", "another path was quicker"));
  }
}

/** What answered last time goes first. */
function ordered(addresses: readonly string[], known: KnownPath | undefined): readonly string[] {
  const first = known?.address;
  if (first === undefined || !addresses.includes(first)) return addresses;
  return [first, ...addresses.filter((address) => address !== first)];
}

function helloOf(options: Omit<PeerDialOptions, "relay">): string {
  const { deviceKey, scope, source, target, port, nowSeconds } = options;
  return makeHello({ deviceKey, scope, source, target, port, nowSeconds: nowSeconds() });
}

function noAddress(): QfError {
  return new QfError("ERR_PEER_UNREACHABLE", "no direct address of the peer is known");
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : "it failed";
}

/** One line for both: what the peer's addresses said, and what the relay said. */
function combined({ direct, relay }: { direct?: unknown; relay?: unknown }): QfError {
  const message = `${messageOf(direct)}; through the relay: ${messageOf(relay)}`;
  // What the peer itself did says more than that the relay does not have it.
  const hint = (isQfError(direct) ? direct.hint : undefined) ?? (isQfError(relay) ? relay.hint : undefined);
  return new QfError("ERR_PEER_UNREACHABLE", message, {
    ...(hint === undefined ? {} : { hint }),
    cause: relay,
  });
}
