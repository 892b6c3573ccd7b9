/**
 * Audit events of one session: its start, its SFTP operations, and its end.
 *
 * @module
 */
import type { ReasonCode } from "../../wire/reason.ts";
import type { SftpOperationRecord } from "../../wire/sftp-operation.ts";
import type { Exit } from "../os/spawn.ts";
import type { Authorization } from "./authorize.ts";
import type { Argv, Start } from "./command.ts";
import type { ConnectionContext } from "./connection-context.ts";

export interface SessionEvidence {
  /** Stores that the session begins. Null: stored; otherwise why it must not begin. */
  begins(authorization: Authorization, session: BegunSession): Promise<ReasonCode | null>;
  /** Stores what was done over SFTP. False: it could not be stored, and the session must end. */
  transferred(operations: readonly SftpOperationRecord[]): Promise<boolean>;
  /** Stores the end of a session that has begun, at `startedMs` of performance.now(). Never rejects. */
  ended(exit: Exit, startedMs: number): Promise<void>;
}

export interface BegunSession {
  readonly start: Start;
  readonly argv: Argv;
  readonly hasTerminal: boolean;
}

export function createSessionEvidence(context: ConnectionContext, sessionId: number): SessionEvidence {
  const { connectionId } = context;
  return {
    begins: (authorization, { start, argv, hasTerminal }) =>
      context.recordStart(authorization, {
        type: "session.start",
        connectionId,
        sessionId,
        kind: start.kind,
        command: start.kind === "exec" ? start.command : null,
        argv: argv.isListed ? [...argv.words] : null,
        pty: hasTerminal,
      }),
    transferred: (operations) =>
      context.recordMeanwhile({
        type: "sftp.operations",
        connectionId,
        sessionId,
        operations: [...operations],
      }),
    ended: (exit, startedMs) =>
      context.recordEnd({
        type: "session.end",
        connectionId,
        sessionId,
        exitStatus: exit.status,
        signal: exit.signal,
        durationMs: Math.round(performance.now() - startedMs),
      }),
  };
}
