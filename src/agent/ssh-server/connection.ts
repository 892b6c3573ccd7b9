/**
 * An SSH connection (RFC 4253) from its first byte to its last: the sign-in, then sessions and forwards, and
 * the end. When the machine ends it, every process and socket of it ends as well.
 *
 * Owns the parts and their order, and decides nothing itself: `authenticate.ts` signs in, `session.ts` and
 * `forward.ts` serve channels, `authorize.ts` is asked again by `recheck`. Read the constructor, then
 * `#admit`.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { Connection, Session } from "ssh2";
import { nowSeconds } from "../../base/clock.ts";
import { newId } from "../../base/random.ts";
import { denialLine } from "../../policy/sentences.ts";
import { guardConnection } from "../../sshcore/guard.ts";
import type { KexBudget } from "../../sshcore/kex-budget.ts";
import { DISCONNECT, OPEN_FAILURE } from "../../sshcore/messages.ts";
import { type ChannelOpen, SshTransport } from "../../sshcore/ssh-transport.ts";
import type { LiveSession } from "../../wire/agent-sync.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { Offence } from "../../wire/ssh-limits.ts";
import type { Limits } from "../contracts/limits.ts";
import type { ServerContext } from "../contracts/server-context.ts";
import type { StreamOrigin } from "../contracts/stream-origin.ts";
import { type Containment, createContainment } from "../os/containment.ts";
import type { Monitor } from "../os/monitor.ts";
import type { AuthResult } from "./admit.ts";
import { type Authenticator, createAuthenticator } from "./authenticate.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { createConnectionContext } from "./create-context.ts";
import type { GlobalRequest } from "./destination.ts";
import { Forwards } from "./forward.ts";
import { type AccountGate, createAccountGate } from "./pam-account.ts";
import { type ActiveUse, findRevocation } from "./recheck.ts";
import { SshSession } from "./session.ts";
import { describeSessions } from "./session-list.ts";

export interface ConnectionOptions {
  readonly serverContext: ServerContext;
  readonly limits: Limits;
  readonly stream: Duplex;
  readonly origin: StreamOrigin;
  readonly cgroupRoot: string | null;
  /** Shared by all connections of the source. */
  readonly kexBudget: KexBudget;
  openMonitor(): Promise<Monitor>;
  /**
   * Called at most once: the connection ended before anybody was signed in, by this offence of its source.
   */
  onOffence(offence: Offence): void;
  /** An attempt to sign in proved nobody: to be counted, not recorded one by one. */
  onUnproven(reason: ReasonCode): void;
  /** Takes one of the user's places; the function gives it back. Null: there is none left. */
  takePlace(key: string): (() => void) | null;
  /** Takes a place among connections that wait for a person's approval. Null: there is none left. */
  takePending(): (() => void) | null;
  /** The sign-in is over, either way, and no longer counts among the starts. Once or more. */
  onSettled(): void;
  /** The connection is over, and what it had is given back. */
  onClosed(): void;
}

/** Longest wait for the processes of an ended connection to be gone. */
const KILL_TIMEOUT_MS = 800;
/** Time for what was written last to be sent, before the transport is cut. */
const LAST_WORDS_MS = 150;
/** Lines kept for a session that has not begun; a client that causes more has been told enough. */
const NOTICES_MAX = 8;

/** ssh2's errors that are no offence: no algorithm in common, a socket that breaks, a client that is gone. */
const HARMLESS_ERRORS: ReadonlySet<string> = new Set(["handshake", "socket", "client-timeout"]);

type Answer = (chosenPort: number) => void;

export class SshConnection {
  readonly id = newId();
  readonly #options: ConnectionOptions;
  readonly #transport: SshTransport;
  readonly #containment: Containment;
  readonly #accountGate: AccountGate;
  readonly #authenticator: Authenticator;
  readonly #sessions = new Map<number, SshSession>();
  /** For the person, at the start of the next session. */
  readonly #notices: string[] = [];
  readonly #startedMs = performance.now();
  #goodbye: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout;
  #sessionCount = 0;
  #refusals = 0;
  #startedAtSeconds = 0;
  #admittedMs = 0;
  #lastActivityMs = performance.now();
  #auth: AuthResult | null = null;
  #context: ConnectionContext | null = null;
  #forwards: Forwards | null = null;
  #release: (() => void) | null = null;
  #ending: Promise<void> | null = null;
  #endReason: ReasonCode | null = null;
  #isClosed = false;
  /** What went wrong before anybody was signed in, beyond failing at that. */
  #fault: "grace-exceeded" | "protocol-error" | null = null;

  constructor(options: ConnectionOptions, connection: Connection, clientVersion: string) {
    this.#options = options;
    const { cgroupRoot, limits } = options;
    this.#containment = createContainment(cgroupRoot, this.id);
    this.#accountGate = this.#openAccountGate();
    this.#transport = this.#openTransport(connection);
    this.#grace = setTimeout(() => this.#onGraceOver(), limits.graceMs);
    this.#authenticator = this.#openAuthenticator(clientVersion.slice(0, 255));
    this.#listen(connection);
  }

  #openAccountGate(): AccountGate {
    const { serverContext, origin } = this.#options;
    return createAccountGate({
      isPrivileged: serverContext.machineFlags().privileged,
      remoteHost: origin.sourceAddress,
      openMonitor: () => this.#options.openMonitor(),
      onFailure: (cause) =>
        serverContext.log.error("an account could not be checked", { connectionId: this.id }, cause),
    });
  }

  /** The guard comes first: the transport is to see only what the guard lets through. */
  #openTransport(connection: Connection): SshTransport {
    const { stream, limits } = this.#options;
    const { channelsMax, packetBytesMax } = limits;
    guardConnection(connection, {
      limits: { channelsMax, packetBytesMax },
      kexBudget: this.#options.kexBudget,
      onViolation: (what) => {
        const { log } = this.#options.serverContext;
        // Strangers do so all the time, and are counted instead.
        const level = this.#auth === null ? "debug" : "warn";
        log[level]("a connection broke the protocol and was ended", { connectionId: this.id, what });
        if (this.#auth !== null) return;
        this.#fault = "protocol-error";
        this.#options.onUnproven("certificate_invalid");
      },
    });
    return new SshTransport(connection, stream, {
      onChannelOpen: (open) => this.#onChannelOpen(open),
      onTerminalModes: (channelId, modes) => this.#sessions.get(channelId)?.setTerminalModes(modes),
      onOutputUnread: (channelId) => this.#sessions.get(channelId)?.stopOutput(),
      onActivity: () => {
        this.#lastActivityMs = performance.now();
      },
    });
  }

  #openAuthenticator(clientVersion: string): Authenticator {
    const options = this.#options;
    return createAuthenticator({
      serverContext: options.serverContext,
      origin: options.origin,
      connectionId: this.id,
      clientVersion,
      triesMax: options.limits.authTriesMax,
      transport: this.#transport,
      takePlace: (key) => {
        this.#release ??= options.takePlace(key);
        return this.#release !== null;
      },
      checkAccount: (localUser) => this.#accountGate.check(localUser),
      onNotAdmitted: () => {
        this.#release?.();
        this.#release = null;
        if (this.#isClosed) this.#onEnded();
      },
      onUnproven: (reason) => options.onUnproven(reason),
      onAdmitted: (auth, accept) => this.#admit(auth, accept),
      onRefused: (text) => this.#showOut(text),
      takePending: () => options.takePending(),
      extendGrace: (ms) => {
        clearTimeout(this.#grace);
        if (!this.#isClosed) this.#grace = setTimeout(() => this.#onUnanswered(), ms);
      },
    });
  }

  #listen(connection: Connection): void {
    connection.on("authentication", (context) => {
      if (this.#auth === null && !this.#isClosed) this.#authenticator.onRequest(context);
    });
    connection.on("session", (accept) => this.#onSession(accept()));
    connection.on("request", (accept, reject, name, info) => {
      void this.#onRequest({ name, ...(info as object) }, accept as Answer, reject);
    });
    connection.on("error", (error: Error & { level?: string }) => {
      if (this.#auth === null && !HARMLESS_ERRORS.has(error.level ?? "")) this.#fault ??= "protocol-error";
    });
    this.#options.stream.once("close", () => this.#onClose());
  }

  #onGraceOver(): void {
    if (this.#auth !== null) return;
    this.#fault ??= "grace-exceeded";
    this.#options.stream.destroy();
  }

  /** The time in which a person could approve the sign-in is over. */
  #onUnanswered(): void {
    if (this.#auth !== null) return;
    this.#transport.disconnect(
      DISCONNECT.BY_APPLICATION,
      "The sign-in was not approved in time; connect again",
    );
    this.#cutSoon();
  }

  /** Who signed in. Null until somebody has. */
  get auth(): AuthResult | null {
    return this.#auth;
  }

  /** Its sessions, for `status` and management. Empty until somebody has signed in. */
  describe(): LiveSession[] {
    if (this.#auth === null) return [];
    const descriptions = [...this.#sessions.values()].map((session) => session.description);
    return describeSessions({
      connectionId: this.id,
      auth: this.#auth,
      map: this.#options.serverContext.snapshot()?.map ?? null,
      startedAtSeconds: this.#startedAtSeconds,
      path: this.#options.origin.path,
      descriptions,
      forwards: this.#forwards?.descriptions ?? [],
    });
  }

  /** Judges the connection and everything it does anew; ends it whole at the first denial. */
  recheck(): void {
    const auth = this.#auth;
    if (auth === null || this.#ending !== null) return;
    const { serverContext, origin } = this.#options;
    if (origin.path === "plain" && !serverContext.takesPlain()) {
      this.#endFor("plain_ssh_disabled");
      return;
    }
    const reason = findRevocation(serverContext, auth, this.#uses(), {
      nowMs: performance.now(),
      lastActivityMs: this.#lastActivityMs,
      limits: serverContext.limits(),
    });
    if (reason !== null) this.#endFor(reason);
  }

  #uses(): ActiveUse[] {
    return [
      { action: { kind: "connect" }, sinceMs: this.#admittedMs },
      ...[...this.#sessions.values()].flatMap((session) => session.uses()),
      ...(this.#forwards?.uses() ?? []),
    ];
  }

  /**
   * Ends the connection whole: every process, channel and the transport. `text` is shown on every terminal
   * and sent with the disconnect; `reason` is recorded. Resolves when nothing is left. Called twice, the
   * first counts.
   */
  end(reason: ReasonCode, text: string): Promise<void> {
    this.#ending ??= this.#end(reason, text);
    return this.#ending;
  }

  async #end(reason: ReasonCode, text: string): Promise<void> {
    this.#endReason = reason;
    for (const session of this.#sessions.values()) session.say(text);
    this.#transport.disconnect(DISCONNECT.BY_APPLICATION, text);
    this.#cutSoon();
    // Before the processes are killed: the forward helper removes the sockets that it made.
    await this.#forwards?.close();
    const isGone = await this.#containment.killAll(KILL_TIMEOUT_MS);
    if (!isGone)
      this.#options.serverContext.log.error("processes of an ended connection are left", {
        connectionId: this.id,
      });
    if (!this.#options.stream.closed)
      await new Promise((resolve) => this.#options.stream.once("close", resolve));
  }

  #cutSoon(): void {
    setTimeout(() => this.#options.stream.destroy(), LAST_WORDS_MS);
  }

  #admit(auth: AuthResult, accept: () => void): void {
    const { serverContext } = this.#options;
    this.#auth = auth;
    this.#startedAtSeconds = nowSeconds(serverContext.clock);
    this.#admittedMs = performance.now();
    this.#context = createConnectionContext({
      serverContext,
      auth,
      connectionId: this.id,
      origin: this.#options.origin,
      transport: this.#transport,
      containment: this.#containment,
      monitor: (options) => this.#accountGate.monitor(options),
      onSessionClosed: (channelId) => this.#sessions.delete(channelId),
      onRefusal: () => {
        if (++this.#refusals > this.#options.limits.refusalsMax) this.#endFor("limit_reached");
      },
      agentSocket: () => this.#forwards?.agentSocket() ?? Promise.resolve(null),
      takeNotices: () => this.#notices.splice(0),
    });
    this.#forwards = new Forwards(this.#context, this.#options.limits, (line) => this.#tell(line));
    if (this.#isClosed) {
      // The client left while this was decided, and that it was let in is on record.
      this.#onEnded();
      return;
    }
    this.#options.onSettled();
    accept();
    serverContext.log.info("connection opened", { connectionId: this.id, localUser: auth.localUser });
    this.recheck();
  }

  #endFor(reason: ReasonCode): void {
    void this.end(reason, `Access revoked: ${denialLine(reason, null)}`);
  }

  /** Disconnects an unproven client, unless it leaves by itself in the meantime. */
  #showOut(text: string): void {
    this.#goodbye = setTimeout(() => {
      this.#transport.disconnect(DISCONNECT.NO_MORE_AUTH_METHODS, text);
      this.#cutSoon();
    }, LAST_WORDS_MS);
  }

  #onChannelOpen(open: ChannelOpen): boolean {
    if (this.#forwards === null || this.#ending !== null) return false;
    if (open.type === "session") {
      if (this.#sessions.size < this.#options.limits.sessionsMax) return true;
      this.#transport.refuseChannel(
        open.sender,
        OPEN_FAILURE.RESOURCE_SHORTAGE,
        "Too many sessions on this connection",
      );
      return false;
    }
    this.#forwards.open(open);
    return false;
  }

  /** `accept` and `reject` are there when the client wants an answer; ssh2 keeps their order. */
  async #onRequest(
    request: GlobalRequest,
    accept: Answer | undefined,
    reject: (() => void) | undefined,
  ): Promise<void> {
    const port = this.#ending === null ? await this.#forwards?.request(request) : null;
    if (typeof port === "number") accept?.(port);
    else reject?.();
  }

  /** Shows a line on a session that has begun, else on the next one, and in `ssh -v`, since none may come. */
  #tell(line: string): void {
    this.#context?.transport.sendDebug(line);
    const session = [...this.#sessions.values()].find(({ hasBegun }) => hasBegun);
    if (session !== undefined) session.say(line);
    else if (this.#notices.length < NOTICES_MAX) this.#notices.push(line);
  }

  #onSession(session: Session): void {
    if (this.#context === null) return;
    const created = new SshSession(this.#context, session, this.#sessionCount++);
    this.#sessions.set(created.channelId, created);
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of [this.#grace, this.#goodbye]) clearTimeout(timer);
    this.#authenticator.end();
    // While the sign-in is being decided, `#admit` or `onNotAdmitted` does the rest.
    if (!this.#authenticator.isDeciding) this.#onEnded();
  }

  #onEnded(): void {
    for (const session of this.#sessions.values()) session.hangUp();
    this.#sessions.clear();
    void this.#forwards?.close();
    this.#accountGate.close();
    this.#release?.();
    this.#options.onSettled();
    this.#containment.release();
    if (this.#auth !== null) this.#recordClose();
    else this.#tellOffence();
    this.#options.onClosed();
  }

  /** A proven person who may not come in has committed no offence. */
  #tellOffence(): void {
    const { outcome } = this.#authenticator;
    if (outcome === "refused") return;
    this.#options.onOffence(this.#fault ?? (outcome === "failed" ? "authfail" : "noauth"));
  }

  #recordClose(): void {
    void this.#context?.recordEnd({
      type: "connection.close",
      connectionId: this.id,
      reason: this.#endReason,
      bytesIn: this.#transport.bytesIn,
      bytesOut: this.#transport.bytesOut,
      durationMs: Math.round(performance.now() - this.#startedMs),
    });
  }
}
