/**
 * The program of a session under its permit: what runs, as whom, on which terminal, in which environment.
 *
 * @module
 */
import type { ServerChannel } from "ssh2";
import { assert } from "../../base/assert.ts";
import { printableLines } from "../../base/printable.ts";
import { sftpMode } from "../../policy/decide/capabilities.ts";
import { denialOfShellless } from "../../policy/decide/local-account.ts";
import { denialLine } from "../../policy/sentences.ts";
import { parseTerminalModes } from "../../sshcore/terminal-modes.ts";
import type { Grant } from "../../wire/decision.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { SessionRecording } from "../contracts/recorder.ts";
import { MonitorError } from "../os/monitor.ts";
import type { WindowSize } from "../os/pty.ts";
import type { LocalAccount } from "../os/users.ts";
import { type Argv, argvOf, type Start } from "./command.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { currentAccount } from "./current-account.ts";
import { loginPath, sessionEnvironment } from "./environment.ts";
import type { StartOf } from "./paired-events.ts";
import type { Permit } from "./permit.ts";
import { type Program, type SftpService, startProgram } from "./program.ts";

/** Most characters of PAM's messages that are shown. */
const FAILURE_TEXT_CHARS_MAX = 1_024;

/** What the system says about the account when a session begins. */
export interface SessionFacts {
  readonly account: LocalAccount;
}
export type SessionPermit = Permit<"session.start", SessionFacts>;

/** Looks the account up, and refuses one whose shell is not there. */
export async function sessionFacts(
  context: ConnectionContext,
  start: Start,
  grant: Grant,
): Promise<SessionFacts | ReasonCode> {
  const account = await currentAccount(context);
  if (typeof account === "string") return account;
  const needsShell = start.kind === "sftp" || argvOf(start, account, grant).isListed;
  return (needsShell ? denialOfShellless(account.facts) : null) ?? { account };
}

/** The start event of a session. */
export function startEventOf(
  start: Start,
  argv: Argv,
  session: { readonly sessionId: number; readonly pty: boolean },
): StartOf<"session.start"> {
  const command = start.kind === "exec" ? start.command : null;
  const words = argv.isListed ? [...argv.words] : null;
  return { type: "session.start", ...session, kind: start.kind, command, argv: words };
}

/** What the client asked for on its channel. */
export interface SessionPlan {
  readonly start: Start;
  readonly channel: ServerChannel;
  readonly channelId: number;
  /** Environment variables that the client sent and the grant allows. */
  readonly client: ReadonlyMap<string, string>;
  /** Null: none, or one that this start does not use. */
  readonly terminal: {
    readonly type: string;
    readonly size: WindowSize;
    readonly modes: Uint8Array;
  } | null;
  /** Undefined: not an SFTP session. */
  readonly sftp: SftpService | undefined;
  /** Socket to the client's SSH agent. Null: none. */
  readonly agentSocket: string | null;
  /** Null: it is not recorded. */
  readonly recording: SessionRecording | null;
}

/**
 * Starts the program. Throws when no terminal, process or descriptor is available, PAM refuses the session,
 * or the connection is over by then.
 */
export async function startSessionProgram(
  context: ConnectionContext,
  { facts: { account }, grant }: SessionPermit,
  plan: SessionPlan,
): Promise<Program> {
  const { start, terminal, client, agentSocket } = plan;
  const { origin } = context;
  const argv = argvOf(start, account, grant);
  const path = loginPath(account.uid);
  const hasTerminal = terminal !== null;
  return startProgram({
    account,
    drop: context.drop,
    file: argv.file,
    argv: argv.words,
    ...(plan.sftp === undefined ? {} : { sftp: plan.sftp }),
    terminal: terminal === null ? null : { ...terminal, modes: parseTerminalModes(terminal.modes) },
    environment: (opened) =>
      sessionEnvironment({
        ...{ account, origin, path, client, agentSocket, terminal: opened },
        originalCommand: argv.isListed && start.kind === "exec" ? start.command : null,
        timeZone: process.env.TZ,
      }),
    monitor: await context.monitor({ hasTerminal }),
    remoteHost: origin.sourceAddress,
    isInteractive: start.kind === "shell" && hasTerminal,
    containment: context.containment,
    isOver: () => context.permits.isOver(),
    transport: context.transport,
    channelId: plan.channelId,
    input: plan.channel,
    recording: plan.recording,
  });
}

/** Why the program could not be started, including PAM's messages. */
export function startFailureText(cause: unknown): string {
  if (!(cause instanceof MonitorError)) return "The session could not be started";
  const said = printableLines(cause.text).trim().slice(0, FAILURE_TEXT_CHARS_MAX);
  const line = "The session could not be started: the operating system refused it";
  return said === "" ? line : `${line}\n${said}`;
}

/** The SFTP service that the session's grant allows. */
export function sftpServiceOf(permitted: SessionPermit, sessionId: number): SftpService {
  return {
    mode: servedMode(permitted.grant),
    record: (operations) =>
      permitted.note({ type: "sftp.operations", sessionId, operations: [...operations] }),
    refusal: denialLine("audit_unavailable", null),
  };
}

/** The SFTP mode of a grant that allows SFTP. */
function servedMode({ capabilities }: Grant): "write" | "read" {
  const mode = sftpMode(capabilities);
  assert(mode !== "off", "a grant for sftp has a mode");
  return mode;
}
