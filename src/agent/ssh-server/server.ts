/**
 * The SSH server of a machine: takes over streams, lists who is connected, and ends connections that are no
 * longer allowed. It does not listen itself.
 *
 * Read `connection.ts` for one connection, `admit.ts` for sign-ins, `session.ts` for what runs.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { type Connection, Server } from "ssh2";
import { printable } from "../../base/printable.ts";
import { ALGORITHMS, HOST_KEY_ALGORITHMS, plainAlgorithms } from "../../sshcore/algorithms.ts";
import { SERVER_IDENT } from "../../sshcore/ident.ts";
import { KexBudgets } from "../../sshcore/kex-budget.ts";
import { streamOf } from "../../sshcore/ssh2-internals.ts";
import type { Offence } from "../../wire/ssh-limits.ts";
import { createFailureCount } from "../contracts/failure-count.ts";
import { Counter, type Limits, sourceOf } from "../contracts/limits.ts";
import type { PenaltySource } from "../contracts/penalties.ts";
import type { ServerContext, SshServer } from "../contracts/server-context.ts";
import { isAnyClient, type StreamOrigin } from "../contracts/stream-origin.ts";
import { findCgroupRoot } from "../os/containment.ts";
import { createMonitorSource } from "../os/monitor-source.ts";
import { acknowledgeNow } from "../os/native.ts";
import { SshConnection } from "./connection.ts";
import { Leftovers } from "./leftovers.ts";
import { recheck, revoke } from "./revoke.ts";

/** How often connections are rechecked for what time alone changes, such as the map's age. */
const RECHECK_MS = 1_000;
/** Most characters of an administrator's reason that the person is shown. */
const KILL_REASON_CHARS_MAX = 256;
/** sshd's text for PerSourcePenalties, which clients may show. */
const NOT_NOW = "Not allowed at this time\r\n";
/** Lets the last output be sent, also through the relay. */
const LAST_WORDS_MS = 150;
/** The longest time a timer takes. Not 0, which ssh2 replaces with its own default. */
const NEVER_MS = 2 ** 31 - 1;

/** More pieces than any client sends before it is signed in. */
const SIGN_IN_PIECES = 64;

/** A stream that ssh2 has not announced yet. */
interface Incoming {
  readonly stream: Duplex;
  readonly origin: StreamOrigin;
  /** Releases its place among the starts. */
  readonly settle: () => void;
}

/** Builds the server. Streams arrive through `accept`. */
export function createSshServer(serverContext: ServerContext): SshServer {
  return new EmbeddedServer(serverContext);
}

class EmbeddedServer implements SshServer {
  readonly #serverContext: ServerContext;
  /** One ssh2 server for each kind, with the settings it was made for. Replaced when flags change. */
  readonly #servers = new Map<"plain" | "proven", { readonly server: Server; readonly made: string }>();
  readonly #incoming = new WeakMap<object, Incoming>();
  readonly #streams = new Set<Duplex>();
  readonly #connections = new Set<SshConnection>();
  readonly #starts = this.#count((l) => ({ perKeyMax: l.startsPerSourceMax, totalMax: l.startsMax }));
  readonly #places = this.#count((l) => ({
    perKeyMax: l.connectionsPerUserMax,
    totalMax: l.connectionsMax,
  }));
  readonly #pending = this.#count((l) => ({ perKeyMax: l.pendingPerSourceMax, totalMax: l.pendingMax }));
  readonly #kexBudgets = new KexBudgets();
  readonly #monitors = createMonitorSource();
  readonly #leftovers = new Leftovers();
  readonly #failures: ReturnType<typeof createFailureCount>;
  /** Undefined until the first connection looks for it. */
  #cgroupRoot: string | null | undefined;
  readonly #timer: NodeJS.Timeout;
  #isClosed = false;

  constructor(serverContext: ServerContext) {
    this.#serverContext = serverContext;
    this.#failures = createFailureCount({ audit: serverContext.audit, log: serverContext.log });
    this.#timer = setInterval(() => this.recheck(), RECHECK_MS);
    this.#timer.unref();
  }

  accept(stream: Duplex, origin: StreamOrigin): void {
    stream.on("error", () => {});
    const source = penaltySourceOf(origin);
    if (source !== null && this.#serverContext.penalties.isRefused(source)) {
      this.#failures.add(origin.sourceAddress, origin.sourcePeerId, "limit_reached");
      turnAway(stream);
      return;
    }
    const settle = this.#isClosed ? null : this.#starts.take(sourceOf(origin));
    if (settle === null) {
      stream.destroy();
      return;
    }
    this.#streams.add(stream);
    let isLate = false;
    const grace = setTimeout(() => {
      isLate = this.#incoming.has(stream);
      if (isLate) stream.destroy();
    }, this.#serverContext.limits().graceMs);
    stream.once("close", () => {
      clearTimeout(grace);
      this.#streams.delete(stream);
      settle();
      // From here on the connection itself knows how it ended.
      if (!this.#incoming.has(stream)) return;
      if (isLate) this.#penalise(origin, "grace-exceeded");
      // A proven device races two paths and silently drops one, which is no offence.
      else if (origin.sourcePeerId === null) this.#penalise(origin, "noauth");
    });
    this.#incoming.set(stream, { stream, origin, settle });
    // ssh2 accepts any stream as if it were a socket of its own server.
    this.#serverFor(origin).injectSocket(stream as never);
  }

  isIdle(): boolean {
    this.#leftovers.prune();
    return this.#streams.size === 0 && this.#connections.size === 0 && this.#leftovers.isEmpty;
  }

  sessions() {
    return [...this.#connections].flatMap((connection) => connection.describe());
  }

  recheck(): void {
    for (const connection of this.#connections) recheck(connection);
    this.#leftovers.prune();
  }

  kill(connectionId: string, reason: string): boolean {
    for (const connection of this.#connections) {
      if (connection.id !== connectionId || !connection.isSignedIn) continue;
      const description = printable(reason).slice(0, KILL_REASON_CHARS_MAX);
      void revoke(connection, "session_killed", description === "" ? undefined : description);
      return true;
    }
    return false;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await Promise.all(
      [...this.#connections].map((one) => revoke(one, "ssh_disabled", "this SSH server is stopping")),
    );
    await this.#leftovers.settle("ssh_disabled");
    this.#monitors.close();
    for (const stream of this.#streams) stream.destroy();
    await this.#failures.close();
  }

  #serverFor(origin: StreamOrigin): Server {
    const kind = isAnyClient(origin) ? "plain" : "proven";
    const wanted = this.#serverContext.hostKeyTypes();
    const { aliveIntervalMs, aliveCountMax } = this.#serverContext.limits();
    const made = [aliveIntervalMs, aliveCountMax, ...wanted].join();
    const present = this.#servers.get(kind);
    if (present?.made === made) return present.server;
    const has = this.#serverContext.hostKeys;
    const chosen = has.filter(({ type }) => wanted.includes(type));
    // A machine that has none of the wanted types offers those it has.
    const keys = chosen.length === 0 ? has : chosen;
    const server = new Server({
      hostKeys: keys.map(({ pem }) => pem),
      ident: SERVER_IDENT,
      keepaliveInterval: aliveIntervalMs ?? NEVER_MS,
      keepaliveCountMax: aliveCountMax,
      algorithms: {
        ...(kind === "plain" ? plainAlgorithms() : ALGORITHMS),
        serverHostKey: HOST_KEY_ALGORITHMS.filter((type) => keys.some((key) => key.type === type)),
      },
    });
    server.on("connection", (connection, info) =>
      this.#onConnection(connection, info.header.versions.software),
    );
    this.#servers.set(kind, { server, made });
    return server;
  }

  #onConnection(connection: Connection, clientVersion: string): void {
    const incoming = this.#incoming.get(streamOf(connection));
    if (incoming === undefined) {
      connection.end();
      return;
    }
    const { stream, origin, settle } = incoming;
    this.#incoming.delete(stream);
    // Not earlier: a data listener starts the flow, and ssh2 has to see every byte.
    hastenSignIn(stream);
    this.#cgroupRoot ??= this.#serverContext.machineFlags().privileged ? findCgroupRoot() : null;
    const created = new SshConnection(
      {
        serverContext: this.#serverContext,
        limits: this.#serverContext.limits(),
        stream,
        origin,
        cgroupRoot: this.#cgroupRoot,
        kexBudget: this.#kexBudgets.of(sourceOf(origin)),
        openMonitor: () => this.#monitors.take(),
        onOffence: (offence) => this.#penalise(origin, offence),
        onUnproven: (reason) => this.#failures.add(origin.sourceAddress, origin.sourcePeerId, reason),
        takePlace: (key) => this.#places.take(key),
        takePending: () => this.#pending.take(sourceOf(origin)),
        onSettled: settle,
        onClosed: () => {
          this.#connections.delete(created);
          if (created.permits !== null) this.#leftovers.add(created.permits);
        },
      },
      connection,
      clientVersion,
    );
    this.#connections.add(created);
  }

  #penalise(origin: StreamOrigin, offence: Offence): void {
    const source = penaltySourceOf(origin);
    if (source !== null && !this.#isClosed) this.#serverContext.penalties.add(source, offence);
  }

  #count(bounds: (limits: Limits) => { perKeyMax: number; totalMax: number }): Counter {
    return new Counter(() => bounds(this.#serverContext.limits()));
  }
}

/** Null for stdio: root and the agent's own user have no penalties. */
function penaltySourceOf({ path, sourcePeerId, sourceAddress, via }: StreamOrigin): PenaltySource | null {
  if (path === "stdio") return null;
  const source = { peerId: via?.peerId ?? sourcePeerId, address: sourceAddress, port: "ssh" } as const;
  return via === undefined ? source : { ...source, localUser: via.localUser ?? "" };
}

/** Tells clients that show such a line, and reads nothing. */
function turnAway(stream: Duplex): void {
  const cut = setTimeout(() => stream.destroy(), LAST_WORDS_MS);
  stream.once("close", () => clearTimeout(cut));
  stream.end(NOT_NOW);
}

/**
 * Until it has a channel, ssh(1) leaves Nagle's algorithm on, so it sends a second small packet only after an
 * acknowledgement. When we have nothing to send, the kernel would delay that by 40 ms.
 */
function hastenSignIn(stream: Duplex): void {
  let left = SIGN_IN_PIECES;
  const hasten = (): void => {
    // Bun keeps a socket's descriptor on the handle; a relayed stream has none.
    const fd = (stream as { readonly _handle?: { readonly fd?: unknown } })._handle?.fd;
    if (typeof fd !== "number" || fd <= 2 || --left === 0) stream.off("data", hasten);
    else acknowledgeNow(fd);
  };
  stream.on("data", hasten);
  hasten();
}
