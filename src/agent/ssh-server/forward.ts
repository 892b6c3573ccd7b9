/**
 * Forwarding on a connection: -L, -D, -W, -R, unix sockets both ways, and the SSH agent.
 *
 * Each stream, each listener and each connection to a listener begins by its own permit
 * (`forward-permit.ts`). Only the forward helper opens sockets, as the local user.
 *
 * @module
 */
import { closeSync } from "node:fs";
import type { ServerChannel } from "ssh2";
import { OPEN_FAILURE } from "../../sshcore/messages.ts";
import type { ChannelOpen } from "../../sshcore/ssh-transport.ts";
import type { Action } from "../../wire/decision.ts";
import type { Limits } from "../contracts/limits.ts";
import type { Accepted, Listening } from "../os/forward-helper.ts";
import { ForwardHelperError } from "../os/forward-helper-error.ts";
import type { LocalAccount } from "../os/users.ts";
import type { ConnectionContext } from "./connection-context.ts";
import {
  type DirectAction,
  describeForward,
  type ForwardAction,
  type GlobalRequest,
  literalAddress,
  parseDirect,
  parseRemote,
  type RemoteAction,
  reachableAddresses,
} from "./destination.ts";
import { ForwardHelpers } from "./forward-helpers.ts";
import { askClient, openListener } from "./forward-listener.ts";
import {
  endForward,
  FAILURE_TEXT,
  type ForwardPermit,
  ForwardPermits,
  narrowedLine,
  Refused,
} from "./forward-permit.ts";
import { refuse } from "./permit.ts";
import { joinTunnel, type Tunnel } from "./tunnel.ts";

/** A port or socket that the helper listens on. */
interface Listener {
  readonly action: ForwardAction;
  /**
   * As the client requested it, which is how the client recognises its streams. `action` is what was bound.
   */
  readonly asked: ForwardAction;
  readonly listening: Listening;
  readonly permit: ForwardPermit;
}

export class Forwards {
  readonly #context: ConnectionContext;
  readonly #limits: Limits;
  readonly #tell: (line: string) => void;
  readonly #permits: ForwardPermits;
  readonly #helpers: ForwardHelpers;
  readonly #streams = new Map<Tunnel, ForwardAction>();
  readonly #listeners = new Set<Listener>();
  /** Streams being opened. */
  #startingStreams = 0;
  readonly #startingListeners = new Set<Promise<Listener>>();
  #agent: Promise<string | null> | null = null;
  #isClosed = false;

  /** `tell` shows the person why a listener was refused, because SSH itself can only say no. */
  constructor(context: ConnectionContext, limits: Limits, tell: (line: string) => void) {
    this.#context = context;
    this.#limits = limits;
    this.#tell = tell;
    this.#permits = new ForwardPermits(context);
    this.#helpers = new ForwardHelpers(context, () => this.#onHelperEnded());
  }

  /** `-L host:port` lines without duplicates, for the session list. */
  get descriptions(): string[] {
    const actions = [...[...this.#listeners].map(({ action }) => action), ...this.#streams.values()];
    const lines = actions.map((action) => {
      const { flag, target } = describeForward(action);
      return `${flag} ${target}`.trim().slice(0, 512);
    });
    return [...new Set(lines)].slice(0, 256);
  }

  /** Answers a channel open other than a session's (RFC 4254 section 7.2), now or later. */
  open(open: ChannelOpen): void {
    const action = parseDirect(open.type, open.rest);
    if (action === null) {
      this.#refuseChannel(open, OPEN_FAILURE.UNKNOWN_CHANNEL_TYPE, "unknown channel type");
      return;
    }
    if (this.#isFull()) {
      this.#refuseChannel(open, OPEN_FAILURE.RESOURCE_SHORTAGE, "Too many forwards");
      return;
    }
    this.#startingStreams++;
    this.#openDirect(open, action)
      .catch((cause: unknown) => this.#failed(open, cause))
      .finally(() => this.#startingStreams--);
  }

  /**
   * Answers a global request (RFC 4254 section 7.1). Resolves with the port for `tcpip-forward`. Null:
   * refused.
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
      this.#tell(this.#reasonOf(cause, action));
      return null;
    } finally {
      this.#startingListeners.delete(starting);
    }
  }

  /** Path of a socket to the client's SSH agent, made once. Null: not allowed. */
  agentSocket(): Promise<string | null> {
    this.#agent ??= this.#listen({ kind: "agent_forwarding" }).then(
      ({ listening }) => listening.path,
      (cause: unknown) => {
        this.#agent = null;
        this.#note(cause);
        return null;
      },
    );
    return this.#agent;
  }

  /** Cuts every stream, ends every listener and removes the sockets. Resolves when that is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const tunnel of this.#streams.keys()) tunnel.destroy();
    this.#endListeners();
    await this.#helpers.close();
  }

  #isFull(): boolean {
    return this.#streams.size + this.#startingStreams >= this.#limits.forwardStreamsMax;
  }

  async #openDirect(open: ChannelOpen, action: DirectAction): Promise<void> {
    // As in sshd, earlier requests are done first: a stream may lead to a listener of its own connection.
    await Promise.allSettled(this.#startingListeners);
    const permit = await this.#permits.forAccount(action);
    try {
      const fd = await this.#dial(permit, action);
      const channel = this.#isClosed ? null : this.#context.transport.acceptChannel(open);
      if (channel !== null) this.#join(permit, { action, channel, fd });
      else {
        closeSync(fd);
        void endForward(permit);
        this.#refuseChannel(open, OPEN_FAILURE.RESOURCE_SHORTAGE, "Too many channels");
      }
    } catch (cause) {
      void endForward(permit, cause);
      throw cause;
    }
  }

  /** Dials and returns a connected socket. Throws Refused or ForwardHelperError. */
  async #dial(permit: ForwardPermit<{ account: LocalAccount }>, action: DirectAction): Promise<number> {
    const helper = await this.#helpers.open(permit);
    if (action.kind === "local_socket") return helper.dialSocket(action.path);
    const literal = literalAddress(action.host);
    const addresses = literal === null ? await helper.resolve(action.host) : [literal];
    const reachable = reachableAddresses(action.host, addresses);
    if (reachable.length > 0) return helper.dial(reachable, action.port);
    const { permits } = this.#context;
    throw new Refused(await refuse(permits, permits.deny("forward_destination_not_allowed", action)));
  }

  async #listen(wish: RemoteAction | Extract<Action, { kind: "agent_forwarding" }>): Promise<Listener> {
    const granted = wish.kind === "remote_forward" ? this.#permits.bindOf(wish) : wish;
    const permit = await this.#permits.forAccount(granted);
    try {
      const helper = await this.#helpers.open(permit);
      const ready = Promise.withResolvers<Listener>();
      // A connection that arrives before the client knows of the listener waits.
      const onAccepted = (accepted: Accepted): void => {
        void ready.promise.then((listener) => this.#accept(listener, accepted));
      };
      const listening = await openListener(helper, granted, onAccepted);
      const { port } = listening;
      const action = granted.kind === "remote_forward" ? { ...granted, port } : granted;
      const asked = wish.kind === "remote_forward" ? { ...wish, port } : wish;
      if (this.#isClosed) {
        listening.close();
        throw new ForwardHelperError("failed");
      }
      permit.narrow(action);
      const listener = { action, asked, listening, permit };
      this.#listeners.add(listener);
      if (granted !== wish) this.#tell(narrowedLine(asked, action));
      setImmediate(() => ready.resolve(listener));
      return listener;
    } catch (cause) {
      void endForward(permit, cause);
      throw cause;
    }
  }

  /** Only cancels a listener that this connection opened. */
  #cancel(action: RemoteAction): boolean {
    for (const listener of this.#listeners) {
      if (JSON.stringify(listener.asked) !== JSON.stringify(action)) continue;
      this.#listeners.delete(listener);
      listener.listening.close();
      void endForward(listener.permit);
      return true;
    }
    return false;
  }

  #onHelperEnded(): void {
    this.#endListeners(new ForwardHelperError("failed"));
    this.#agent = null;
  }

  /** Their sockets are closed, or close with the helper. */
  #endListeners(cause?: ForwardHelperError): void {
    for (const { permit } of this.#listeners) void endForward(permit, cause);
    this.#listeners.clear();
  }

  /** Decides and records a connection to a listener as a stream of its own. */
  async #accept({ action, asked }: Listener, accepted: Accepted): Promise<void> {
    if (this.#startingStreams >= this.#limits.forwardStartsMax || this.#isFull() || this.#isClosed)
      return closeSync(accepted.fd);
    this.#startingStreams++;
    let permit: ForwardPermit | null = null;
    try {
      permit = await this.#permits.forAccepted(action);
      const channel = await askClient(this.#context.transport, asked, accepted);
      if (channel !== null && !this.#isClosed) this.#join(permit, { action, channel, fd: accepted.fd });
      else {
        channel?.close();
        throw new ForwardHelperError("refused");
      }
    } catch (cause) {
      closeSync(accepted.fd);
      if (permit !== null) void endForward(permit, cause);
      this.#note(cause);
    } finally {
      this.#startingStreams--;
    }
  }

  #join(
    permit: ForwardPermit,
    { action, channel, fd }: { action: ForwardAction; channel: ServerChannel; fd: number },
  ): void {
    const tunnel = joinTunnel(this.#context.transport, channel, fd);
    this.#streams.set(tunnel, action);
    void tunnel.done.then(({ bytesIn, bytesOut }) => {
      this.#streams.delete(tunnel);
      return permit.end({ bytesIn, bytesOut, reason: null });
    });
  }

  /** Tells the client why a direct channel failed: a refusal, or a network failure. */
  #failed(open: ChannelOpen, cause: unknown): void {
    if (cause instanceof Refused) {
      this.#refuseChannel(open, OPEN_FAILURE.ADMINISTRATIVELY_PROHIBITED, cause.sentence);
      return;
    }
    this.#note(cause);
    this.#refuseChannel(open, OPEN_FAILURE.CONNECT_FAILED, textOf(cause));
  }

  #refuseChannel({ sender }: ChannelOpen, reason: number, text: string): void {
    this.#context.transport.refuseChannel(sender, reason, text);
  }

  /** Why a listener could not be opened: a refusal, or the operating system's error. */
  #reasonOf(cause: unknown, action: RemoteAction): string {
    if (cause instanceof Refused) return cause.sentence;
    this.#note(cause);
    return `Cannot listen on ${describeForward(action).target}: ${textOf(cause)} (choose another with -R)`;
  }

  /** Logs our own faults; refusals and network failures are in the audit log already. */
  #note(cause: unknown): void {
    if (cause instanceof Refused || cause instanceof ForwardHelperError) return;
    const { log, connectionId } = this.#context;
    log.error("a forward could not be opened", { connectionId }, cause);
  }
}

function textOf(cause: unknown): string {
  return FAILURE_TEXT[cause instanceof ForwardHelperError ? cause.failure : "failed"];
}
