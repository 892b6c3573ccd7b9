/**
 * The part of a connection that its sessions and forwards may use. `create-context.ts` makes it, tests fake
 * it.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { SshTransport } from "../../sshcore/ssh-transport.ts";
import type { AgentEventBody } from "../../wire/audit-event.ts";
import type { Action } from "../../wire/decision.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { StreamOrigin } from "../contracts/stream-origin.ts";
import type { Containment } from "../os/containment.ts";
import type { AuthResult } from "./admit.ts";
import type { Authorization } from "./authorize.ts";
import type { AccountGate } from "./pam-account.ts";

export interface ConnectionContext {
  readonly connectionId: string;
  /** Who signed in, as which local user. */
  readonly auth: AuthResult;
  readonly origin: StreamOrigin;
  readonly transport: SshTransport;
  readonly containment: Containment;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether programs change to the user's ids; false without root. */
  readonly drop: boolean;
  /** The one question, asked for every channel and request. */
  authorize(action: Action): Authorization;
  /** A denial that policy had no part in. */
  deny(reason: ReasonCode, action: Action): Authorization;
  /**
   * Stores a denial. Resolves with its sentence for the person, and a receipt in it where it could be stored;
   * it stands in any case.
   */
  recordRefusal(authorization: Authorization): Promise<string>;
  /** Stores an allow and the event that it permits. Null: stored; otherwise why it must not begin. */
  recordStart(authorization: Authorization, event: AgentEventBody): Promise<ReasonCode | null>;
  /**
   * Stores what is done in a session that has begun. False: it could not be stored, and the session must end.
   */
  recordMeanwhile(event: AgentEventBody): Promise<boolean>;
  /** Stores the end of something. Never rejects; a failure is logged. */
  recordEnd(event: AgentEventBody): Promise<void>;
  /** Path of a socket that leads to the client's SSH agent. Null: it is not forwarded. */
  agentSocket(): Promise<string | null>;
  /** Lines to show at the start of a session; each is given once. */
  takeNotices(): string[];
  /** The process that opens a session of the operating system (PAM) for a program. Null: there is none. */
  monitor: AccountGate["monitor"];
  /** The session of channel `channelId` (our number) is over. */
  onSessionClosed(channelId: number): void;
}
