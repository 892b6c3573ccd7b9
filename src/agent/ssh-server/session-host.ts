/**
 * What a session knows of the connection it belongs to.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { ServerDoor } from "../../sshcore/server-door.ts";
import type { AgentEventBody } from "../../wire/audit-event.ts";
import type { Action } from "../../wire/decision.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { Containment } from "../os/containment.ts";
import type { StreamOrigin } from "../world.ts";
import type { AccountGate } from "./account-gate.ts";
import type { AuthResult } from "./admit.ts";
import type { Verdict } from "./judge.ts";
import type { SshSession } from "./session.ts";

export interface SessionHost {
  readonly connectionId: string;
  readonly auth: AuthResult;
  readonly origin: StreamOrigin;
  readonly door: ServerDoor;
  readonly containment: Containment;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether programs change to the user's ids; false without root. */
  readonly drop: boolean;
  /** The one question, asked for every channel and request. */
  judge(action: Action): Verdict;
  /** A denial that policy had no part in. */
  deny(reason: ReasonCode, action: Action): Verdict;
  /** Stores a refusal under its receipt; false when it could not be. */
  recordDecision(verdict: Verdict, receipt: string | null): Promise<boolean>;
  /** Stores the decision and what begins because of it. Null: stored; else why it must not begin. */
  recordStart(verdict: Verdict, event: AgentEventBody): Promise<ReasonCode | null>;
  /** Stores what is done in a session that has begun; false: then it must end. */
  recordMeanwhile(event: AgentEventBody): Promise<boolean>;
  /** Stores what has ended; a failure is logged. */
  recordEnd(event: AgentEventBody): Promise<void>;
  /** Path of a socket that leads to the client's agent; null when that is not to be. */
  agentSocket(): Promise<string | null>;
  /** What the person has yet to be told, at the start of a session. */
  takeNotices(): string[];
  /** Who opens a session of the operating system for a program. Null: it has none. */
  monitor: AccountGate["monitor"];
  onSessionClosed(session: SshSession): void;
}
