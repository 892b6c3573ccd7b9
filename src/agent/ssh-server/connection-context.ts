/**
 * The context that a connection gives to its sessions and forwards. Built by `open-connection.ts`.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { SshTransport } from "../../sshcore/ssh-transport.ts";
import type { Recorder } from "../contracts/recorder.ts";
import type { StreamOrigin } from "../contracts/stream-origin.ts";
import type { Containment } from "../os/containment.ts";
import type { AuthResult } from "./admit.ts";
import type { AccountGate } from "./pam-account.ts";
import type { PermitContext } from "./permission.ts";

export interface ConnectionContext {
  readonly connectionId: string;
  /** Who signed in and as which local user. */
  readonly auth: AuthResult;
  readonly origin: StreamOrigin;
  /** Permits for everything that begins. */
  readonly permits: PermitContext;
  readonly transport: SshTransport;
  readonly containment: Containment;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether programs switch to the user's ids. False: the agent runs without root. */
  readonly drop: boolean;
  /** Decides again about everything that runs, and ends the connection at the first denial. */
  recheck(): void;
  /** Path of a socket to the client's SSH agent. Null: it is not forwarded. */
  agentSocket(): Promise<string | null>;
  /** Settles once every request made so far on the connection has been answered. Never rejects. */
  requestsAnswered(): Promise<unknown>;
  /** Lines to show at the start of a session. Each is returned once. */
  takeNotices(): string[];
  /** Opens the process that holds a program's PAM session. Null: none is needed. */
  monitor: AccountGate["monitor"];
  /** Null: recording is not possible. */
  readonly recorder: Recorder | null;
  /** A session that must be recorded has begun, so its programs end with the connection. */
  onRequiredRecording(): void;
  onSessionClosed(channelId: number): void;
}
