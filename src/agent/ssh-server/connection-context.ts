/**
 * The part of a connection that its sessions and forwards may use. `open-connection.ts` makes it.
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
  /** Who signed in, as which local user. */
  readonly auth: AuthResult;
  readonly origin: StreamOrigin;
  /** What everything that begins is asked of. */
  readonly permits: PermitContext;
  readonly transport: SshTransport;
  readonly containment: Containment;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether programs change to the user's ids; false without root. */
  readonly drop: boolean;
  /** Path of a socket that leads to the client's SSH agent. Null: it is not forwarded. */
  agentSocket(): Promise<string | null>;
  /** Settles once every request of the connection that was made so far has its answer. Never rejects. */
  requestsAnswered(): Promise<unknown>;
  /** Lines to show at the start of a session; each is given once. */
  takeNotices(): string[];
  /** The process that opens a session of the operating system (PAM) for a program. Null: there is none. */
  monitor: AccountGate["monitor"];
  /** Null: nothing can be recorded. */
  readonly recorder: Recorder | null;
  /** A session that has to be recorded has begun: what it leaves behind ends with the connection. */
  onRequiredRecording(): void;
  onSessionClosed(channelId: number): void;
}
