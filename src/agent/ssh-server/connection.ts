/**
 * An SSH connection (RFC 4253) from its first byte to its last: sign-in, sessions and forwards, end.
 *
 * It owns the parts and their order, and decides nothing. `sign-in.ts` and `open-connection.ts` are the two
 * parts, `connection-state.ts` says which one is active, and `revoke.ts` ends the connection for the machine.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { Connection } from "ssh2";
import type { LogFields } from "../../base/log.ts";
import { newId } from "../../base/random.ts";
import { guardConnection } from "../../sshcore/guard.ts";
import type { KexBudget } from "../../sshcore/kex-budget.ts";
import { DISCONNECT } from "../../sshcore/messages.ts";
import { SshTransport } from "../../sshcore/ssh-transport.ts";
import type { LiveSession } from "../../wire/agent-sync.ts";
import { type Containment, createContainment } from "../os/containment.ts";
import type { Monitor } from "../os/monitor.ts";
import type { Admitted } from "./admit.ts";
import { ConnectionState } from "./connection-state.ts";
import type { GlobalRequest } from "./destination.ts";
import { OpenConnection } from "./open-connection.ts";
import { AccountGate } from "./pam-account.ts";
import type { Revocable } from "./permission.ts";
import { type ConnectionPermits, createPermitContext } from "./permit-context.ts";
import { endPrograms, recheck, revoke } from "./revoke.ts";
import { namesOf } from "./session-list.ts";
import { SignIn, type SignInOptions } from "./sign-in.ts";

export interface ConnectionOptions extends SignInOptions {
  readonly stream: Duplex;
  readonly cgroupRoot: string | null;
  /** Shared by all connections from the same source. */
  readonly kexBudget: KexBudget;
  openMonitor(): Promise<Monitor>;
  /** The connection is closed and its resources are released. */
  onClosed(): void;
}

/** Lets the last output be sent before the transport is cut. */
const LAST_WORDS_MS = 150;

/** ssh2 errors that are no offence: no common algorithm, a broken socket, a client that left. */
const HARMLESS_ERRORS: ReadonlySet<string> = new Set(["handshake", "socket", "client-timeout"]);

type Answer = (chosenPort: number) => void;

/** The state of a connection after sign-in. */
interface Live {
  readonly admitted: Admitted;
  readonly open: OpenConnection;
}

export class SshConnection implements Revocable {
  readonly id = newId();
  readonly state: ConnectionState;
  readonly closed: Promise<void>;
  readonly containment: Containment;
  permits: ConnectionPermits | null = null;
  revoked: Promise<void> | null = null;
  lastActivityMs: number;
  readonly #options: ConnectionOptions;
  readonly #transport: SshTransport;
  readonly #accountGate: AccountGate;
  readonly #signIn: SignIn;
  #live: Live | null = null;
  #refusals = 0;

  constructor(options: ConnectionOptions, connection: Connection, clientVersion: string) {
    this.#options = options;
    this.lastActivityMs = this.#nowMs();
    this.state = new ConnectionState(this.id, this.log);
    this.closed = new Promise((resolve) => {
      options.stream.once("close", resolve);
      if (options.stream.closed) resolve();
    });
    this.containment = createContainment(options.cgroupRoot, this.id);
    this.#accountGate = this.#openAccountGate();
    this.#transport = this.#openTransport(connection);
    this.#signIn = new SignIn({
      options,
      connectionId: this.id,
      clientVersion: clientVersion.slice(0, 255),
      transport: this.#transport,
      state: this.state,
      checkAccount: (localUser) => {
        // A session usually follows at once, and the kernel needs the time until then.
        this.containment.prepare();
        return this.#accountGate.check(localUser);
      },
      permitsFor: (subject) => this.#permitsFor(subject),
      cut: () => options.stream.destroy(),
      cutSoon: () => this.#cutSoon(),
      onAdmitted: (admitted, accept) => this.#onAdmitted(admitted, accept),
    });
    this.#listen(connection);
    // What the hello proved, and what the client claims.
    const { path, sourceAddress, sourcePeerId } = options.origin;
    const facts = { path, sourceAddress, sourcePeerId, clientVersion: clientVersion.slice(0, 255) };
    this.log.debug("connection", { connectionId: this.id, ...facts });
  }

  get log() {
    return this.#options.serverContext.log;
  }

  get isSignedIn(): boolean {
    return this.#live !== null;
  }

  /** Its sessions, for `status` and management. Empty before sign-in. */
  describe(): LiveSession[] {
    return this.#live?.open.describe() ?? [];
  }

  sayLast(text: string): void {
    this.#live?.open.say(text);
    this.#transport.disconnect(DISCONNECT.BY_APPLICATION, text);
    this.#cutSoon();
  }

  async closeForwards(): Promise<void> {
    await this.#live?.open.closeForwards();
  }

  #nowMs(): number {
    return this.#options.serverContext.clock.monotonicMs();
  }

  #openAccountGate(): AccountGate {
    const { serverContext, origin, openMonitor } = this.#options;
    return new AccountGate({
      isPrivileged: serverContext.machineFlags().privileged,
      remoteHost: origin.sourceAddress,
      openMonitor,
      onFailure: (cause) =>
        this.log.error("an account could not be checked", { connectionId: this.id }, cause),
    });
  }

  /** Installs the guard first, so that the transport sees only what the guard lets through. */
  #openTransport(connection: Connection): SshTransport {
    const { stream, limits } = this.#options;
    const { channelsMax, packetBytesMax } = limits;
    guardConnection(connection, {
      limits: { channelsMax, packetBytesMax },
      kexBudget: this.#options.kexBudget,
      onViolation: (what) => {
        // Unauthenticated clients do this all the time; they are counted instead.
        const level = this.#live === null ? "debug" : "warn";
        this.log[level]("a connection broke the protocol and was ended", { connectionId: this.id, what });
        if (this.#live !== null) return;
        this.#signIn.onProtocolError();
        this.#options.onUnproven("certificate_invalid");
      },
    });
    return new SshTransport(connection, stream, {
      onChannelOpen: (open) => this.state.is("open") && this.#live?.open.onChannelOpen(open) === true,
      onTerminalModes: (channelId, modes) => this.#live?.open.setTerminalModes(channelId, modes),
      onOutputUnread: (channelId) => this.#live?.open.stopOutput(channelId),
      onActivity: () => {
        this.lastActivityMs = this.#nowMs();
      },
    });
  }

  #listen(connection: Connection): void {
    connection.on("authentication", (context) => {
      if (!this.state.is("open", "closed")) this.#signIn.onRequest(context);
    });
    connection.on("session", (accept) => this.#live?.open.onSession(accept()));
    connection.on("request", (accept, reject, name, info) => {
      void this.#onRequest({ name, ...(info as object) }, accept as Answer, reject);
    });
    connection.on("error", (error: Error & { level?: string }) => {
      if (this.#live === null && !HARMLESS_ERRORS.has(error.level ?? "")) this.#signIn.onProtocolError();
    });
    this.#options.stream.once("close", () => this.#onClose());
  }

  #permitsFor(subject: Parameters<typeof createPermitContext>[1]): ConnectionPermits {
    const { serverContext, origin } = this.#options;
    const onRefusal = (): void => {
      if (++this.#refusals > this.#options.limits.refusalsMax) void revoke(this, "limit_reached");
    };
    const parts = { serverContext, origin, connectionId: this.id, state: this.state, onRefusal };
    this.permits = createPermitContext(parts, subject);
    return this.permits;
  }

  #onAdmitted(admitted: Admitted, accept: () => void): void {
    const { serverContext, limits, origin } = this.#options;
    if (this.permits === null) return;
    const open = new OpenConnection({
      ...{ serverContext, limits, origin, auth: admitted.auth, permits: this.permits },
      ...{ transport: this.#transport, containment: this.containment, accountGate: this.#accountGate },
      recheck: () => recheck(this),
    });
    this.#live = { admitted, open };
    this.#signIn.settle();
    accept();
    this.log.info("connection opened", this.#describeLive(admitted));
  }

  /** `accept` and `reject` are set when the client wants an answer; ssh2 keeps the order of answers. */
  async #onRequest(
    request: GlobalRequest,
    accept: Answer | undefined,
    reject: (() => void) | undefined,
  ): Promise<void> {
    const port = this.state.is("open") ? await this.#live?.open.request(request) : null;
    if (typeof port === "number") accept?.(port);
    else reject?.();
  }

  #cutSoon(): void {
    setTimeout(() => this.#options.stream.destroy(), LAST_WORDS_MS);
  }

  #onClose(): void {
    if (!this.state.take("gone")) return;
    this.#live?.open.hangUp();
    this.#signIn.close({ isProven: this.#live !== null });
    this.#accountGate.close();
    // A connection that had to be recorded must not leave programs running unrecorded.
    if (this.#live?.open.leavesNothing === true)
      void endPrograms(this).then(() => this.containment.release());
    else this.containment.release();
    if (this.#live !== null) this.#endLive(this.#live.admitted);
    this.#options.onClosed();
  }

  #endLive(admitted: Admitted): void {
    const { bytesIn, bytesOut } = this.#transport;
    const reason = this.state.endReason;
    void admitted.permit.end({ bytesIn, bytesOut, reason });
    const durationMs = Math.round(this.#nowMs() - admitted.permit.sinceMs);
    const facts = { durationMs, bytesIn, bytesOut, reason: reason ?? "ended" };
    this.log.info("connection ended", { ...this.#describeLive(admitted), ...facts });
  }

  /** Log fields: who is connected from where, as which local user, by which rule. */
  #describeLive({ auth, permit }: Admitted): LogFields {
    const { serverContext, origin } = this.#options;
    const { person, device } = namesOf(auth.who, serverContext.snapshot()?.map ?? null);
    const { localUser } = auth;
    const rule = permit.grant.ruleId;
    return { connectionId: this.id, person, device, localUser, rule, path: origin.path };
  }
}
