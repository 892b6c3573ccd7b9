/**
 * Dials a peer at its direct addresses and through the relay in a race, in which the direct addresses have a
 * head start. The first path on which the peer answers wins, and a stream stays on its path.
 *
 * Read `dialPeer`. `trace` receives each step, in words for people.
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
import { dialRelayPlainly } from "./relay-plain.ts";
import type { RelayStream } from "./relay-stream.ts";

/** Head start of the direct addresses, by how the peer was last reached. */
const HEAD_START_MS = { unknown: 150, direct: 500, relay: 50 } as const;
/** Delay between direct addresses. Shorter than without a relay, so that all are tried. */
const STAGGER_MS = 50;
/** Default time limit of the whole dial. */
const TIMEOUT_MS = 10_000;

export interface PeerDialOptions<Relayed extends Destroyable = RelayStream> {
  readonly deviceKey: Ed25519Key;
  /** Its origin is also the relay's address. */
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
  /** Time limit of the whole dial in milliseconds. Default 10000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For a direct connection whose descriptor is passed on; see `dialDirect`. */
  readonly peek?: DialOptions["peek"];
  /** Port of the relay's plain listener. Absent: there is none. */
  readonly relayPort?: Port | undefined;
  /** Opens the relayed stream another way; its result is returned. Absent: `dialRelay`. */
  readonly relay?: ((options: RelayDialOptions) => Promise<Relayed>) | undefined;
  readonly trace?: (line: string) => void;
}

/** A stream that can be destroyed when another path wins. */
export interface Destroyable {
  destroy(): unknown;
}

/** A stream on which the peer has answered; its first byte is still in it. */
export type PeerStream<Relayed extends Destroyable = RelayStream> =
  | ({ readonly path: "direct"; readonly stream: DialSocket; readonly address: string } & Chosen)
  | ({ readonly path: "relay"; readonly stream: Relayed | DialSocket } & Chosen);

interface Chosen {
  /** Why this path was chosen, for people. */
  readonly why: string;
  /** Milliseconds from the first attempt to the peer's first byte. */
  readonly tookMs: number;
}
type DialSocket = Awaited<ReturnType<typeof dialDirect>>["socket"];

/**
 * The stream on which the peer answered first. Throws ERR_PEER_UNREACHABLE when no path works in time, or
 * `signal`'s reason.
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
  // Not awaited.
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
  /** `direct`: relay not tried yet. `both`: relay tried too. `over`: one has won, or all have failed. */
  #state: "direct" | "both" | "over" = "direct";
  /** Why the relay is tried. */
  #whyRelay = "";
  #headStart: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PeerDialOptions<Relayed>, pathBefore: KnownPath | undefined) {
    this.#options = options;
    this.#pathBefore = pathBefore;
    this.#trace = options.trace ?? (() => {});
  }

  /** Runs the race, once. Rejects when no path answers, or with `signal`'s reason. */
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
    this.#dialRelay().then(
      (stream) => this.#winByRelay(stream),
      (cause: unknown) => this.#lose("relay", cause),
    );
  }

  #dialRelay(): Promise<Relayed | DialSocket> {
    const { deviceKey, scope, timeoutMs = TIMEOUT_MS, relayPort, peek } = this.#options;
    const { origin } = scope;
    const { signal } = this.#losers;
    const prove = () => {
      const hello = helloOf(this.#options).trimEnd();
      return { hello, proof: signRelayDial(deviceKey, scope, hello) };
    };
    // Without `relay`, `Relayed` is the result of `dialRelay`.
    const open = this.#options.relay ?? (dialRelay as (options: RelayDialOptions) => Promise<never>);
    const other = (signal: AbortSignal) => open({ origin, ...prove(), timeoutMs, signal });
    if (relayPort === undefined) return other(signal);
    return dialRelayPlainly({ origin, port: relayPort, timeoutMs, signal, peek, prove, other });
  }

  #winDirectly(socket: DialSocket, address: string): void {
    const why = this.#state === "direct" ? "it answered at once" : "it answered before the relay";
    const chosen = this.#choose(why);
    if (chosen === null) socket.destroy();
    else this.#outcome.resolve({ path: "direct", stream: socket, address, ...chosen });
  }

  #winByRelay(stream: Relayed | DialSocket): void {
    const chosen = this.#choose(this.#whyRelay);
    if (chosen === null) stream.destroy();
    else this.#outcome.resolve({ path: "relay", stream, ...chosen });
  }

  /** Ends the race in favour of the path that answered. Null when it is already over. */
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

/** Combines the failures of the direct addresses and the relay into one line. */
function combined({ direct, relay }: { direct?: unknown; relay?: unknown }): QfError {
  const message = `${messageOf(direct)}; through the relay: ${messageOf(relay)}`;
  // The peer's own behaviour says more than its absence from the relay.
  const hint = (isQfError(direct) ? direct.hint : undefined) ?? (isQfError(relay) ? relay.hint : undefined);
  return new QfError("ERR_PEER_UNREACHABLE", message, {
    ...(hint === undefined ? {} : { hint }),
    cause: relay,
  });
}
