/**
 * Dials a peer by its direct addresses and through the relay: a race, in which the direct addresses have a
 * head start. The first path on which the peer answers wins, and a stream stays on its path.
 *
 * Read `dialPeer`. `trace` hears each step, in words for people.
 *
 * @module
 */
import type { Ed25519Key } from "../base/ed25519.ts";
import { isQfError, QfError } from "../base/errors.ts";
import type { HelloCheckpoint, HelloVia } from "../wire/hello.ts";
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
  /** Carried in the hello. */
  readonly checkpoint?: HelloCheckpoint | undefined;
  /** As `HelloOptions.via`. */
  readonly via?: HelloVia | undefined;
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

/** A stream that can be destroyed when another path was quicker. */
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

/**
 * The stream on which the peer answered first. Throws ERR_PEER_UNREACHABLE when no path leads there in time,
 * and `signal`'s reason.
 */
export async function dialPeer<Relayed extends Destroyable = RelayStream>(
  options: PeerDialOptions<Relayed>,
): Promise<PeerStream<Relayed>> {
  const { memory, target, trace = () => {} } = options;
  const won = await new PathRace(options, await memory?.recall(target)).run();
  const took = `after ${Math.round(won.tookMs)} ms: ${won.why}`;
  if (won.path === "direct") trace(`connected directly to ${won.address} ${took}`);
  else trace(`connected through the relay at ${options.scope.origin} ${took}`);
  const found = won.path === "direct" ? { path: won.path, address: won.address } : { path: won.path };
  // Nobody waits for it.
  void memory?.remember(target, found, options.nowSeconds());
  return won;
}

/** One race: the direct addresses, then the relay beside them, until one has answered or both have failed. */
class PathRace<Relayed extends Destroyable> {
  readonly #options: PeerDialOptions<Relayed>;
  readonly #pathBefore: KnownPath | undefined;
  readonly #trace: (line: string) => void;
  readonly #startedMs = performance.now();
  readonly #losers = new AbortController();
  readonly #outcome = Promise.withResolvers<PeerStream<Relayed>>();
  readonly #failures: { direct?: unknown; relay?: unknown } = {};
  /** `direct`: the relay is not tried yet. `both`: it is. `over`: one has won, or there is no hope. */
  #state: "direct" | "both" | "over" = "direct";
  /** Why the relay is tried. */
  #whyRelay = "";
  #headStart: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PeerDialOptions<Relayed>, pathBefore: KnownPath | undefined) {
    this.#options = options;
    this.#pathBefore = pathBefore;
    this.#trace = options.trace ?? (() => {});
  }

  /** Runs it, once. Rejects when no path answers, and with `signal`'s reason. */
  async run(): Promise<PeerStream<Relayed>> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    const onAbort = () => this.#losers.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#tryDirectly();
    try {
      return await this.#outcome.promise;
    } catch (cause) {
      signal?.throwIfAborted();
      throw cause;
    } finally {
      this.#state = "over";
      clearTimeout(this.#headStart);
      signal?.removeEventListener("abort", onAbort);
      this.#losers.abort(new QfError("ERR_PEER_UNREACHABLE", "another path was quicker"));
    }
  }

  #tryDirectly(): void {
    const { timeoutMs = TIMEOUT_MS, peek } = this.#options;
    const addresses = ordered(this.#options.addresses, this.#pathBefore);
    if (addresses.length === 0) {
      this.#lose("direct", noAddress());
      return;
    }
    const waitMs = HEAD_START_MS[this.#pathBefore?.path ?? "unknown"];
    this.#headStart = setTimeout(() => this.#tryRelay(`no direct answer within ${waitMs} ms`), waitMs);
    dialDirect({
      addresses,
      staggerMs: STAGGER_MS,
      helloFor: () => helloOf(this.#options),
      timeoutMs,
      signal: this.#losers.signal,
      ...(peek === undefined ? {} : { peek }),
    }).then(
      ({ socket, address }) => this.#winDirectly(socket, address),
      (cause: unknown) => this.#lose("direct", cause),
    );
  }

  #tryRelay(why: string): void {
    clearTimeout(this.#headStart);
    if (this.#state !== "direct") return;
    this.#state = "both";
    this.#whyRelay = why;
    this.#trace(`trying the relay: ${why}`);
    const { deviceKey, scope, timeoutMs = TIMEOUT_MS } = this.#options;
    const hello = helloOf(this.#options).trimEnd();
    const proof = signRelayDial(deviceKey, scope, hello);
    // Without another way given, `Relayed` is what `dialRelay` gives.
    const open = this.#options.relay ?? (dialRelay as (options: RelayDialOptions) => Promise<never>);
    open({ origin: scope.origin, hello, proof, timeoutMs, signal: this.#losers.signal }).then(
      (stream) => this.#winByRelay(stream),
      (cause: unknown) => this.#lose("relay", cause),
    );
  }

  #winDirectly(socket: DialSocket, address: string): void {
    const why = this.#state === "direct" ? "it answered at once" : "it answered before the relay";
    const chosen = this.#choose(why);
    if (chosen === null) socket.destroy();
    else this.#outcome.resolve({ path: "direct", stream: socket, address, ...chosen });
  }

  #winByRelay(stream: Relayed): void {
    const chosen = this.#choose(this.#whyRelay);
    if (chosen === null) stream.destroy();
    else this.#outcome.resolve({ path: "relay", stream, ...chosen });
  }

  /** Ends the race for the path that answered. Null: it is over already. */
  #choose(why: string): Chosen | null {
    if (this.#state === "over") return null;
    this.#state = "over";
    return { why, tookMs: performance.now() - this.#startedMs };
  }

  #lose(path: "direct" | "relay", cause: unknown): void {
    this.#failures[path] = cause;
    if (this.#state === "over") return;
    this.#trace(`${path === "direct" ? "no direct path" : "no path through the relay"}: ${messageOf(cause)}`);
    if (path === "direct") this.#tryRelay(messageOf(cause));
    if ("direct" in this.#failures && "relay" in this.#failures) {
      this.#outcome.reject(combined(this.#failures));
    }
  }
}

/** `addresses` with the one that answered last time first. */
function ordered(addresses: readonly string[], pathBefore: KnownPath | undefined): readonly string[] {
  const first = pathBefore?.address;
  if (first === undefined || !addresses.includes(first)) return addresses;
  return [first, ...addresses.filter((address) => address !== first)];
}

function helloOf(options: Omit<PeerDialOptions, "relay">): string {
  const { deviceKey, scope, source, target, port, nowSeconds, checkpoint, via } = options;
  return makeHello({ deviceKey, scope, source, target, port, nowSeconds: nowSeconds(), checkpoint, via });
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
