/**
 * A session channel (RFC 4254 section 6): its terminal and environment, then one shell, command or subsystem.
 *
 * A request to begin is answered with yes at once, since ssh2 drops what a client sends before the answer,
 * and is then decided before anything runs. A refusal is its sentence on stderr and exit status 255, which is
 * how ssh(1) says "no session". Read `#listen`, then `#run`.
 *
 * @module
 */
import type { ServerChannel, Session } from "ssh2";
import { assert } from "../../base/assert.ts";
import { printableLines } from "../../base/printable.ts";
import { mayForwardAgent, sftpMode } from "../../policy/decide/capabilities.ts";
import { denialOfShellless } from "../../policy/decide/local-account.ts";
import { denialLine } from "../../policy/sentences.ts";
import { channelIdOf } from "../../sshcore/ssh2-internals.ts";
import { parseTerminalModes } from "../../sshcore/terminal-modes.ts";
import { COMMAND_BYTES_MAX, type Grant } from "../../wire/decision.ts";
import type { SshCapabilities } from "../../wire/policy.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import { MonitorError } from "../os/monitor.ts";
import type { WindowSize } from "../os/pty.ts";
import type { Exit } from "../os/spawn.ts";
import type { LocalAccount } from "../os/users.ts";
import type { Authorization } from "./authorize.ts";
import { ClientEnvironment } from "./client-environment.ts";
import { type Argv, argvOf, endOf, type Start, signalOf } from "./command.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { currentAccount } from "./current-account.ts";
import { loginPath, sessionEnvironment } from "./environment.ts";
import { type Program, type SftpService, startProgram } from "./program.ts";
import type { ActiveUse } from "./recheck.ts";
import { createSessionEvidence, type SessionEvidence } from "./session-evidence.ts";

const REFUSED_STATUS = 255;
/** Time for a client to show a line before it reads the answer after it. */
const SAID_FIRST_MS = 50;
/** Longest text of PAM's modules that is shown. */
const FAILURE_TEXT_CHARS_MAX = 1_024;
/** Signals kept for a program that is still being started. */
const EARLY_SIGNALS_MAX = 8;
/** How much of a command that is too long is recorded. */
const LONG_COMMAND_CHARS_MAX = 1_024;
const TERMINAL_TYPE = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;

export class SshSession {
  readonly channelId: number;
  readonly #context: ConnectionContext;
  readonly #evidence: SessionEvidence;
  /** Environment variables as the client sent them. */
  readonly #client = new ClientEnvironment();
  #terminal: { type: string; size: WindowSize } | null = null;
  #terminalRefusal: Authorization | null = null;
  #terminalModes: Uint8Array = new Uint8Array(0);
  #start: Start | null = null;
  /** Null: the client has not offered its agent. */
  #agentSocket: Promise<string | null> | null = null;
  #program: Program | null = null;
  readonly #earlySignals: NodeJS.Signals[] = [];
  #channel: ServerChannel | null = null;
  /** Its start was judged, and allowed. */
  #isAllowed = false;
  #allowedMs = 0;
  /** Files are changed over SFTP, or may be. */
  #mayWrite = false;
  /** Its start is on record, so its end has to be. */
  #isRecorded = false;
  #isClosed = false;

  /** `sessionId` numbers the sessions of a connection from 0; audit names them by it. */
  constructor(context: ConnectionContext, session: Session, sessionId: number) {
    this.#context = context;
    this.#evidence = createSessionEvidence(context, sessionId);
    this.channelId = channelIdOf(session);
    this.#listen(session);
  }

  /** For the live list: never the arguments, which may be secrets. */
  get description(): string {
    if (this.#start === null) return "<idle>";
    if (this.#start.kind === "shell") return "<interactive shell>";
    if (this.#start.kind === "sftp") return "<sftp>";
    const words = this.#start.command.trim().split(/\s+/);
    const program = (words[0] ?? "").slice(0, 256);
    return words.length > 1 ? `${program} [${words.length - 1} args]` : program;
  }

  get hasBegun(): boolean {
    return this.#start !== null;
  }

  /** What it does at present, to be judged again when something changes. */
  uses(): ActiveUse[] {
    // A request that is still being judged, or is refused, is not in use.
    if (this.#start === null || !this.#isAllowed) return [];
    const sinceMs = this.#allowedMs;
    const refuse = (capabilities: SshCapabilities): ReasonCode | null => this.#denialUnder(capabilities);
    const start: ActiveUse = { action: this.#start, sinceMs, refuse };
    return this.#terminal === null ? [start] : [start, { action: { kind: "pty" }, sinceMs }];
  }

  /** Why a rule that lets it begin would not let it be as it is. Null: it would. */
  #denialUnder(capabilities: SshCapabilities): ReasonCode | null {
    if (this.#mayWrite && sftpMode(capabilities) !== "write") return "sftp_read_only";
    const hasTerminal = this.#terminal !== null && this.#start?.kind !== "sftp";
    return hasTerminal && capabilities.pty === false ? "pty_not_allowed" : null;
  }

  setTerminalModes(modes: Uint8Array): void {
    this.#terminalModes = modes;
  }

  /** The client reads no more of its stdout: a program that goes on writing gets SIGPIPE, as from sshd. */
  stopOutput(): void {
    this.#context.transport.muteChannel(this.channelId);
    this.#program?.stopOutput();
  }

  /** Shows `text` on the terminal, or on stderr where there is none. */
  say(text: string): void {
    const hasTerminal = this.#terminal !== null;
    const kind = this.#program?.hasTerminal === true ? "stdout" : "stderr";
    this.#context.transport.tryWriteChannel(
      this.channelId,
      kind,
      Buffer.from(hasTerminal ? `\r\n${text}\r\n` : `${text}\n`),
    );
  }

  /** False: it cannot be delivered. A signal that comes before the program has started is kept for it. */
  #signal(signal: NodeJS.Signals | undefined): boolean {
    if (signal === undefined || this.#start === null) return false;
    if (this.#program !== null) this.#program.signal(signal);
    else if (this.#earlySignals.length < EARLY_SIGNALS_MAX) this.#earlySignals.push(signal);
    else return false;
    return true;
  }

  /** The transport or the channel is gone. */
  hangUp(): void {
    this.#isClosed = true;
    this.#program?.hangUp();
  }

  #listen(session: Session): void {
    session.on("env", (accept, reject, info) => {
      const { key, val } = info as unknown as { key: string; val: string };
      // Which of them count is asked again when the session begins.
      const isTaken = this.#client.add(key, val, this.#context.authorize({ kind: "connect" }));
      if (isTaken) accept?.();
      else reject?.();
    });
    session.on("pty", (accept, _reject, info) => {
      const { term, cols, rows, width, height } = info as unknown as WindowSize & { term: string };
      const authorization = this.#context.authorize({ kind: "pty" });
      // Answered with yes all the same: after a no, ssh(1) leaves without waiting to hear why.
      if (authorization.kind === "deny") this.#terminalRefusal = authorization;
      this.#terminal = {
        type: TERMINAL_TYPE.test(term) ? term : "dumb",
        size: { cols, rows, width, height },
      };
      accept?.();
    });
    session.on("window-change", (accept, _reject, info) => {
      if (this.#terminal !== null) this.#terminal.size = info;
      this.#program?.resize(info);
      accept?.();
    });
    session.on("signal", (accept, reject, { name }) => {
      if (this.#signal(signalOf(name))) accept?.();
      else reject?.();
    });
    session.on("shell", (accept, reject) => this.#begin(accept() ?? reject, { kind: "shell" }));
    session.on("exec", (accept, reject, { command }) =>
      this.#begin(accept() ?? reject, { kind: "exec", command }),
    );
    session.on("subsystem", (accept, reject, { name }) => {
      if (name === "sftp") this.#begin(accept() ?? reject, { kind: "sftp" });
      else void this.#respondUnknownSubsystem(reject);
    });
    session.on("auth-agent", (accept, reject) => {
      const isAllowed = this.#context.authorize({ kind: "agent_forwarding" }).kind === "allow";
      // Also when it is refused, which is evidence.
      this.#agentSocket ??= this.#context.agentSocket();
      if (isAllowed) accept?.();
      else reject?.();
    });
    session.on("x11", (_accept, reject) => {
      reject?.();
      // ssh(1) goes on without, with a warning of its own that has no reason.
      void this.#context
        .recordRefusal(this.#context.authorize({ kind: "x11_forwarding" }))
        .then((line) => this.say(line));
    });
    session.on("close", () => this.#onClose());
  }

  /** A function instead of a channel: it has begun already, and this is how to refuse the second start. */
  #begin(channel: ServerChannel | (() => void) | undefined, start: Start): void {
    if (channel === undefined || typeof channel === "function") {
      channel?.();
      return;
    }
    this.#channel = channel;
    this.#start = start;
    for (const line of this.#context.takeNotices()) this.say(line);
    this.#run(channel, start).catch((cause: unknown) => {
      this.#context.log.error(
        "a session could not be started",
        { connectionId: this.#context.connectionId },
        cause,
      );
      const failed = { status: REFUSED_STATUS, signal: null };
      if (this.#isRecorded) void this.#evidence.ended(failed, performance.now());
      this.#end(channel, failureText(cause), failed);
    });
  }

  async #run(channel: ServerChannel, start: Start): Promise<void> {
    if (start.kind === "exec" && Buffer.byteLength(start.command) > COMMAND_BYTES_MAX) {
      const command = start.command.slice(0, LONG_COMMAND_CHARS_MAX);
      return this.#refuse(channel, this.#context.deny("command_too_long", { kind: "exec", command }));
    }
    const authorization = this.#context.authorize(start);
    if (authorization.kind === "deny") return this.#refuse(channel, authorization);
    if (this.#terminalRefusal !== null) return this.#refuse(channel, this.#terminalRefusal);
    this.#isAllowed = true;
    this.#allowedMs = performance.now();
    const reason = this.#denialOfTerminal(authorization.grant);
    if (reason !== null) return this.#refuse(channel, this.#context.deny(reason, start));
    const account = await currentAccount(this.#context);
    if (typeof account === "string") return this.#refuse(channel, this.#context.deny(account, start));
    const argv = argvOf(start, account, authorization.grant);
    const refused = start.kind === "sftp" || argv.isListed ? denialOfShellless(account.facts) : null;
    if (refused !== null) return this.#refuse(channel, this.#context.deny(refused, start));
    const hasTerminal = this.#terminal !== null;
    const unrecorded = await this.#evidence.begins(authorization, { start, argv, hasTerminal });
    if (unrecorded !== null) return this.#refuse(channel, this.#context.deny(unrecorded, start));
    this.#isRecorded = true;
    const again = this.#context.authorize(start);
    if (again.kind === "deny" || this.#isClosed) {
      await this.#evidence.ended({ status: REFUSED_STATUS, signal: null }, performance.now());
      return again.kind === "deny" ? this.#refuse(channel, again) : undefined;
    }
    // What is granted by now counts, also where it is less.
    await this.#execute(channel, { account, argv, grant: again.grant, start });
  }

  async #execute(
    channel: ServerChannel,
    plan: { account: LocalAccount; argv: Argv; grant: Grant; start: Start },
  ): Promise<void> {
    const { account, argv, grant, start } = plan;
    const context = this.#context;
    const startedMs = performance.now();
    const path = await loginPath(account.uid);
    const client = this.#client.under(grant.capabilities, (line) => this.say(line));
    // One grant covers the whole session: what another rule says of the agent is no help.
    const agentSocket = mayForwardAgent(grant.capabilities) ? await this.#agentSocket : null;
    const hasTerminal = this.#terminal !== null && start.kind !== "sftp";
    const program = await startProgram({
      account,
      drop: context.drop,
      file: argv.file,
      argv: argv.words,
      ...(start.kind === "sftp" ? { sftp: this.#sftpService(grant) } : {}),
      terminal:
        this.#terminal === null || start.kind === "sftp"
          ? null
          : { ...this.#terminal, modes: parseTerminalModes(this.#terminalModes) },
      environment: (terminal) =>
        sessionEnvironment({
          account,
          origin: context.origin,
          path,
          terminal,
          originalCommand: argv.isListed && start.kind === "exec" ? start.command : null,
          client,
          timeZone: process.env.TZ,
          agentSocket,
        }),
      monitor: await context.monitor({ hasTerminal }),
      remoteHost: context.origin.sourceAddress,
      isInteractive: start.kind === "shell" && hasTerminal,
      containment: context.containment,
      transport: context.transport,
      channelId: this.channelId,
      input: channel,
    });
    this.#program = program;
    // What changed while it was being started.
    if (this.#terminal !== null) program.resize(this.#terminal.size);
    for (const signal of this.#earlySignals) program.signal(signal);
    if (this.#isClosed) program.hangUp();
    const exit = await program.done;
    await this.#evidence.ended(exit, startedMs);
    this.#end(channel, null, exit);
  }

  /** One grant covers the whole channel: what `pty` was granted by another rule is no help. */
  #denialOfTerminal(grant: Grant): ReasonCode | null {
    return this.#terminal !== null && grant.capabilities.pty === false ? "pty_not_allowed" : null;
  }

  /** Says why first: after the answer, ssh(1) leaves at once. */
  async #respondUnknownSubsystem(reject: (() => void) | undefined): Promise<void> {
    const refusal = this.#context.deny("subsystem_unknown", { kind: "sftp" });
    this.say(await this.#context.recordRefusal(refusal));
    await Bun.sleep(SAID_FIRST_MS);
    reject?.();
  }

  async #refuse(channel: ServerChannel, authorization: Authorization): Promise<void> {
    this.#isAllowed = false;
    const line = await this.#context.recordRefusal(authorization);
    this.#end(channel, line, { status: REFUSED_STATUS, signal: null });
  }

  #sftpService(grant: Grant): SftpService {
    const mode = servedMode(grant);
    this.#mayWrite = mode === "write";
    return {
      mode,
      record: (operations) => this.#evidence.transferred(operations),
      refusal: denialLine("audit_unavailable", null),
    };
  }

  /** Exit status or signal, then the end of both directions (RFC 4254 sections 5.3 and 6.10). */
  #end(channel: ServerChannel, text: string | null, exit: Exit): void {
    if (text !== null) this.say(text);
    const end = endOf(exit);
    if ("signal" in end) this.#context.transport.sendExitSignal(this.channelId, end.signal);
    else this.#context.transport.sendExitStatus(this.channelId, end.status);
    // Nobody reads it any more; what still comes is thrown away.
    channel.resume();
    channel.eof();
    channel.close();
  }

  #onClose(): void {
    this.hangUp();
    this.#channel?.removeAllListeners("data");
    this.#channel?.resume();
    this.#context.onSessionClosed(this.channelId);
  }
}

function failureText(cause: unknown): string {
  if (!(cause instanceof MonitorError)) return "The session could not be started";
  const said = printableLines(cause.text).trim().slice(0, FAILURE_TEXT_CHARS_MAX);
  const line = "The session could not be started: the operating system refused it";
  return said === "" ? line : `${line}\n${said}`;
}

/** How far SFTP goes under a grant that allows it at all. */
function servedMode({ capabilities }: Grant): "write" | "read" {
  const mode = sftpMode(capabilities);
  assert(mode !== "off", "a grant for sftp has a mode");
  return mode;
}
