/**
 * A connection after sign-in: its sessions, its forwards, and messages to the person.
 *
 * @module
 */
import type { Session } from "ssh2";
import { nowSeconds } from "../../base/clock.ts";
import { OPEN_FAILURE } from "../../sshcore/messages.ts";
import type { ChannelOpen, SshTransport } from "../../sshcore/ssh-transport.ts";
import type { LiveSession } from "../../wire/agent-sync.ts";
import type { Limits } from "../contracts/limits.ts";
import type { ServerContext } from "../contracts/server-context.ts";
import type { StreamOrigin } from "../contracts/stream-origin.ts";
import type { Containment } from "../os/containment.ts";
import type { AuthResult } from "./admit.ts";
import type { ConnectionContext } from "./connection-context.ts";
import type { GlobalRequest } from "./destination.ts";
import { Forwards } from "./forward.ts";
import type { AccountGate } from "./pam-account.ts";
import type { PermitContext } from "./permission.ts";
import { SshSession } from "./session.ts";
import { describeSessions } from "./session-list.ts";

export interface OpenConnectionParts {
  readonly serverContext: ServerContext;
  readonly limits: Limits;
  readonly origin: StreamOrigin;
  readonly auth: AuthResult;
  readonly permits: PermitContext;
  readonly transport: SshTransport;
  readonly containment: Containment;
  readonly accountGate: AccountGate;
  /** See `ConnectionContext`. */
  recheck(): void;
}

/**
 * Lines kept for a session that has not begun. Protects against a client that causes refusals without end.
 */
const NOTICES_MAX = 8;

export class OpenConnection {
  readonly #parts: OpenConnectionParts;
  readonly #context: ConnectionContext;
  readonly #forwards: Forwards;
  readonly #sessions = new Map<number, SshSession>();
  #sessionCount = 0;
  #leavesNothing = false;
  /** Unanswered global requests. */
  readonly #requests = new Set<Promise<unknown>>();
  /** Shown to the person at the start of the next session. */
  readonly #notices: string[] = [];
  readonly #startedAtSeconds: number;

  constructor(parts: OpenConnectionParts) {
    this.#parts = parts;
    const { serverContext, permits, accountGate } = parts;
    const { clock, log } = serverContext;
    this.#startedAtSeconds = nowSeconds(clock);
    this.#context = {
      ...parts,
      connectionId: permits.connectionId,
      clock,
      log,
      drop: serverContext.machineFlags().privileged,
      recorder: serverContext.recorder ?? null,
      onRequiredRecording: () => {
        this.#leavesNothing = true;
      },
      monitor: (options) => accountGate.monitor(options),
      onSessionClosed: (channelId) => void this.#sessions.delete(channelId),
      agentSocket: () => this.#forwards.agentSocket(),
      requestsAnswered: () => Promise.allSettled(this.#requests),
      takeNotices: () => this.#notices.splice(0),
    };
    this.#forwards = new Forwards(this.#context, parts.limits, (line) => this.#tell(line));
  }

  /** Its sessions, for `status` and management. */
  describe(): LiveSession[] {
    const { serverContext, auth, origin, permits } = this.#parts;
    return describeSessions({
      connectionId: permits.connectionId,
      auth,
      map: serverContext.snapshot()?.map ?? null,
      startedAtSeconds: this.#startedAtSeconds,
      path: origin.path,
      descriptions: [...this.#sessions.values()].map(({ description }) => description),
      forwards: this.#forwards.descriptions,
    });
  }

  /** True: ssh2 continues with it as a session. */
  onChannelOpen(open: ChannelOpen): boolean {
    const { connectionId, log } = this.#context;
    log.debug("channel", { connectionId, type: open.type.slice(0, 64) });
    if (open.type !== "session") {
      this.#forwards.open(open);
      return false;
    }
    const { limits, transport } = this.#parts;
    if (this.#sessions.size < limits.sessionsMax) return true;
    const text = "Too many sessions on this connection";
    transport.refuseChannel(open.sender, OPEN_FAILURE.RESOURCE_SHORTAGE, text);
    return false;
  }

  onSession(session: Session): void {
    const created = new SshSession(this.#context, session, this.#sessionCount++);
    this.#sessions.set(created.channelId, created);
  }

  /** The port for `tcpip-forward`, or 0. Null: refused. */
  async request(request: GlobalRequest): Promise<number | null> {
    const answer = this.#forwards.request(request);
    this.#requests.add(answer);
    try {
      return await answer;
    } finally {
      this.#requests.delete(answer);
    }
  }

  setTerminalModes(channelId: number, modes: Uint8Array): void {
    this.#sessions.get(channelId)?.setTerminalModes(modes);
  }

  stopOutput(channelId: number): void {
    this.#sessions.get(channelId)?.stopOutput();
  }

  /** Shows `text` on every session. */
  say(text: string): void {
    for (const session of this.#sessions.values()) session.say(text);
  }

  /** Ends streams and listeners. Resolves when their sockets are gone. */
  closeForwards(): Promise<void> {
    return this.#forwards.close();
  }

  /** Whether programs end with the connection, because a session had to be recorded. */
  get leavesNothing(): boolean {
    return this.#leavesNothing;
  }

  /** The transport is gone. */
  hangUp(): void {
    for (const session of this.#sessions.values()) session.hangUp();
    this.#sessions.clear();
    void this.#forwards.close();
  }

  /** Shows a line on a session that has begun, else on the next one; also in `ssh -v`, as none may follow. */
  #tell(line: string): void {
    this.#parts.transport.sendDebug(line);
    const session = [...this.#sessions.values()].find(({ hasBegun }) => hasBegun);
    if (session !== undefined) session.say(line);
    else if (this.#notices.length < NOTICES_MAX) this.#notices.push(line);
  }
}
