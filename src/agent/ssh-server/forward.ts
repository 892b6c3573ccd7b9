/**
 * Everything a connection carries beside its sessions: -L, -D, -W, -R, unix sockets both ways, the agent.
 *
 * Each stream and each listener asks the same question as everything else, when it is asked for and
 * again once that is on record; each connection to a listener asks anew. Sockets are opened by the
 * forward helper, as the local user, and by nobody else.
 *
 * @module
 */
import { closeSync } from "node:fs";
import type { ServerChannel } from "ssh2";
import { OPEN_FAILURE } from "../../sshcore/messages.ts";
import type { ChannelOpen } from "../../sshcore/ssh-transport.ts";
import type { Action } from "../../wire/decision.ts";
import type { Limits } from "../contracts/limits.ts";
import {
  type Accepted,
  type ForwardHelper,
  ForwardHelperError,
  type Listening,
  openForwardHelper,
} from "../os/forward-helper.ts";
import type { LocalAccount } from "../os/users.ts";
import type { ConnectionContext } from "./connection-context.ts";
import {
  bindAddresses,
  type DirectAction,
  describeForward,
  type ForwardAction,
  forwardedFields,
  type GlobalRequest,
  literalAddress,
  parseDirect,
  parseRemote,
  type RemoteAction,
  reachableAddresses,
} from "./destination.ts";
import { createForwardGate, FAILURE_TEXT, type ForwardGate, Refused } from "./forward-gate.ts";
import type { ActiveUse } from "./recheck.ts";
import { joinTunnel, type Tunnel } from "./tunnel.ts";

/** Longest that a client may take to answer for a connection to its listener. */
const CLIENT_TIMEOUT_MS = 30_000;
/** Longest that the end of a connection waits for a forward helper to start. */
const CLOSE_TIMEOUT_MS = 200;

/** What is open: `sinceMs` by the monotonic clock. */
interface InUse {
  readonly action: ForwardAction;
  readonly sinceMs: number;
}

interface Listener extends InUse {
  /** As the client wrote it, by which it knows the streams; `action` is what it got. */
  readonly asked: ForwardAction;
  readonly listening: Listening;
}

export class Forwards {
  readonly #context: ConnectionContext;
  readonly #limits: Limits;
  readonly #tell: (line: string) => void;
  readonly #gate: ForwardGate;
  readonly #streams = new Map<Tunnel, InUse>();
  readonly #listeners = new Set<Listener>();
  /** Streams and listeners that are being opened. */
  #startingStreams = 0;
  readonly #startingListeners = new Set<Promise<Listener>>();
  #helper: Promise<ForwardHelper> | null = null;
  #agent: Promise<string | null> | null = null;
  #isClosed = false;

  /** `tell` shows the person why a listener was refused, where SSH has room for no more than a no. */
  constructor(context: ConnectionContext, limits: Limits, tell: (line: string) => void) {
    this.#context = context;
    this.#limits = limits;
    this.#tell = tell;
    this.#gate = createForwardGate(context);
  }

  /** `-L host:port`, each once, for the live list. */
  get descriptions(): string[] {
    const lines = this.#inUse().map(({ action }) => {
      const { flag, target } = describeForward(action);
      return `${flag} ${target}`.trim().slice(0, 512);
    });
    return [...new Set(lines)].slice(0, 256);
  }

  /** What it does now, each once and since the first of it, to be judged again whenever something changed. */
  uses(): ActiveUse[] {
    const found = new Map<string, InUse>();
    for (const one of this.#inUse()) {
      const key = JSON.stringify(one.action);
      if (one.sinceMs < (found.get(key)?.sinceMs ?? Number.POSITIVE_INFINITY)) found.set(key, one);
    }
    return [...found.values()].map(({ action, sinceMs }) => ({ action, sinceMs }));
  }

  /** Answers the opening of a channel other than a session (RFC 4254 section 7.2), at once or later. */
  open(open: ChannelOpen): void {
    const action = parseDirect(open.type, open.rest);
    if (action === null) {
      this.#context.transport.refuseChannel(
        open.sender,
        OPEN_FAILURE.UNKNOWN_CHANNEL_TYPE,
        "unknown channel type",
      );
      return;
    }
    if (this.#streams.size + this.#startingStreams >= this.#limits.forwardStreamsMax) {
      this.#context.transport.refuseChannel(open.sender, OPEN_FAILURE.RESOURCE_SHORTAGE, "Too many forwards");
      return;
    }
    this.#startingStreams++;
    this.#openDirect(open, action)
      .catch((cause: unknown) => this.#failed(open, cause))
      .finally(() => this.#startingStreams--);
  }

  /**
   * Answers a global request (RFC 4254 section 7.1). Resolves with the port for `tcpip-forward`; null is a
   * no.
   */
  async request(request: GlobalRequest): Promise<number | null> {
    const action = parseRemote(request);
    if (action === null) return null;
    if (request.name.startsWith("cancel-")) return this.#cancel(action) ? 0 : null;
    if (this.#listeners.size + this.#startingListeners.size >= this.#limits.forwardListenersMax) return null;
    const starting = this.#listen(action);
    this.#startingListeners.add(starting);
    try {
      return (await starting).listening.port;
    } catch (cause) {
      this.#tell(await this.#reasonOf(cause, action));
      return null;
    } finally {
      this.#startingListeners.delete(starting);
    }
  }

  /** Path of a socket that leads to the client's agent, made once; null when that is not allowed. */
  agentSocket(): Promise<string | null> {
    this.#agent ??= this.#listen({ kind: "agent_forwarding" }).then(
      ({ listening }) => listening.path,
      async (cause: unknown) => {
        this.#agent = null;
        await this.#note(cause);
        return null;
      },
    );
    return this.#agent;
  }

  /** Cuts every stream, ends every listener, and takes the sockets away. Resolves when that is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const tunnel of this.#streams.keys()) tunnel.destroy();
    this.#listeners.clear();
    // One that is still being started closes itself.
    const starting = this.#helper?.catch(() => null) ?? null;
    const helper = await Promise.race([starting, Bun.sleep(CLOSE_TIMEOUT_MS).then(() => null)]);
    await helper?.close();
  }

  #inUse(): InUse[] {
    return [...this.#listeners, ...this.#streams.values()];
  }

  async #openDirect(open: ChannelOpen, action: DirectAction): Promise<void> {
    const context = this.#context;
    // As in sshd, what was asked for earlier is there: a stream may lead to a listener of its own connection.
    await Promise.allSettled(this.#startingListeners);
    const fd = await this.#dial(action);
    const channel = this.#isClosed ? null : context.transport.acceptChannel(open);
    if (channel !== null) this.#join(action, channel, fd);
    else {
      closeSync(fd);
      context.transport.refuseChannel(open.sender, OPEN_FAILURE.RESOURCE_SHORTAGE, "Too many channels");
    }
  }

  /** A connected socket. Throws Refused or ForwardHelperError. */
  async #dial(action: DirectAction): Promise<number> {
    this.#gate.ask(action);
    const helper = await this.#openHelper(action);
    if (action.kind === "local_socket") {
      await this.#gate.record(action);
      return helper.dialSocket(action.path);
    }
    const literal = literalAddress(action.host);
    const addresses = literal === null ? await helper.resolve(action.host) : [literal];
    const reachable = reachableAddresses(action.host, addresses);
    if (reachable.length === 0) {
      throw new Refused(this.#context.deny("forward_destination_not_allowed", action));
    }
    await this.#gate.record(action);
    return helper.dial(reachable, action.port);
  }

  async #listen(wish: RemoteAction | Extract<Action, { kind: "agent_forwarding" }>): Promise<Listener> {
    const granted = wish.kind === "remote_forward" ? this.#gate.bindOf(wish) : wish;
    this.#gate.ask(granted);
    const helper = await this.#openHelper(granted);
    await this.#gate.record(granted);
    const ready = Promise.withResolvers<Listener>();
    // Whoever connects before the client knows of it waits until it does.
    const onAccepted = (accepted: Accepted): void => {
      void ready.promise.then((listener) => this.#accept(listener, accepted));
    };
    const listening = await openListener(helper, granted, onAccepted);
    const { port } = listening;
    const action = granted.kind === "remote_forward" ? { ...granted, port } : granted;
    const asked = wish.kind === "remote_forward" ? { ...wish, port } : wish;
    const listener = { action, asked, listening, sinceMs: performance.now() };
    if (this.#isClosed) {
      listening.close();
      throw new ForwardHelperError("failed");
    }
    this.#listeners.add(listener);
    if (granted !== wish) {
      const { target } = describeForward(asked);
      this.#tell(
        `-R ${target}: listens on ${describeForward(action).target} only (the policy names no more)`,
      );
    }
    setImmediate(() => ready.resolve(listener));
    return listener;
  }

  /** One that this connection has begun itself; nobody else's is known here. */
  #cancel(action: RemoteAction): boolean {
    for (const listener of this.#listeners) {
      if (JSON.stringify(listener.asked) !== JSON.stringify(action)) continue;
      this.#listeners.delete(listener);
      listener.listening.close();
      return true;
    }
    return false;
  }

  /** A connection to a listener: judged and recorded as a stream of its own. */
  async #accept({ action, asked }: Listener, accepted: Accepted): Promise<void> {
    const isFull =
      this.#startingStreams >= this.#limits.forwardStartsMax ||
      this.#streams.size + this.#startingStreams >= this.#limits.forwardStreamsMax;
    if (isFull || this.#isClosed) return closeSync(accepted.fd);
    this.#startingStreams++;
    try {
      this.#gate.ask(action);
      await this.#gate.record(action);
      const channel = await this.#askClient(asked, accepted);
      if (channel === null || this.#isClosed) {
        channel?.close();
        closeSync(accepted.fd);
      } else this.#join(action, channel, accepted.fd);
    } catch (cause) {
      closeSync(accepted.fd);
      await this.#note(cause);
    } finally {
      this.#startingStreams--;
    }
  }

  async #askClient(asked: ForwardAction, from: Accepted): Promise<ServerChannel | null> {
    const { type, fields } = forwardedFields(asked, from);
    const answer = this.#context.transport.openChannel(type, fields);
    const timeout = Promise.withResolvers<null>();
    const timer = setTimeout(() => timeout.resolve(null), CLIENT_TIMEOUT_MS);
    const channel = await Promise.race([answer, timeout.promise]);
    clearTimeout(timer);
    // An answer that comes after all is for nothing.
    if (channel === null) void answer.then((late) => late?.close());
    return channel;
  }

  #join(action: ForwardAction, channel: ServerChannel, fd: number): void {
    const tunnel = joinTunnel(this.#context.transport, channel, fd);
    this.#streams.set(tunnel, { action, sinceMs: performance.now() });
    void tunnel.done.then(() => this.#streams.delete(tunnel));
  }

  /** The forward helper of this connection, begun at its first use. Throws Refused. */
  async #openHelper(action: ForwardAction): Promise<ForwardHelper> {
    const account = await this.#gate.account(action);
    if (this.#isClosed) throw new ForwardHelperError("failed");
    this.#helper ??= this.#startHelper(account);
    try {
      return await this.#helper;
    } catch (cause) {
      this.#helper = null;
      throw cause;
    }
  }

  async #startHelper(account: LocalAccount): Promise<ForwardHelper> {
    const { containment, drop } = this.#context;
    const helper = await openForwardHelper({ account, drop, containment });
    if (this.#isClosed) {
      await helper.close();
      throw new ForwardHelperError("failed");
    }
    void helper.ended.then(() => {
      // Its listeners went with it.
      this.#listeners.clear();
      this.#agent = null;
      this.#helper = null;
    });
    return helper;
  }

  /** Says why a direct channel is not to be: a refusal is evidence, a failure the network's own. */
  async #failed(open: ChannelOpen, cause: unknown): Promise<void> {
    const { transport } = this.#context;
    if (cause instanceof Refused) {
      const line = await this.#context.recordRefusal(cause.authorization);
      transport.refuseChannel(open.sender, OPEN_FAILURE.ADMINISTRATIVELY_PROHIBITED, line);
      return;
    }
    const failure = cause instanceof ForwardHelperError ? cause.failure : "failed";
    if (!(cause instanceof ForwardHelperError)) this.#logError(cause);
    transport.refuseChannel(open.sender, OPEN_FAILURE.CONNECT_FAILED, FAILURE_TEXT[failure]);
  }

  /** Why there is no listener: a refusal, which is evidence, or what the operating system said. */
  async #reasonOf(cause: unknown, action: RemoteAction): Promise<string> {
    if (cause instanceof Refused) return this.#context.recordRefusal(cause.authorization);
    if (!(cause instanceof ForwardHelperError)) this.#logError(cause);
    const reason = FAILURE_TEXT[cause instanceof ForwardHelperError ? cause.failure : "failed"];
    return `Cannot listen on ${describeForward(action).target}: ${reason} (choose another with -R)`;
  }

  /** What stands in the way where the client gets no reason: evidence, the network's own, or our fault. */
  async #note(cause: unknown): Promise<void> {
    if (cause instanceof Refused) await this.#context.recordRefusal(cause.authorization);
    else if (!(cause instanceof ForwardHelperError)) this.#logError(cause);
  }

  #logError(cause: unknown): void {
    const { log, connectionId } = this.#context;
    log.error("a forward could not be opened", { connectionId }, cause);
  }
}

function openListener(
  helper: ForwardHelper,
  action: ForwardAction,
  onAccepted: (accepted: Accepted) => void,
): Promise<Listening> {
  if (action.kind === "remote_forward")
    return helper.listen(bindAddresses(action.host), action.port, onAccepted);
  if (action.kind === "remote_socket") return helper.listenSocket(action.path, onAccepted);
  return helper.listenAgent(onAccepted);
}
