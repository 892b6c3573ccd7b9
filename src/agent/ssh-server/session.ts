/**
 * A session channel (RFC 4254 section 6): terminal and environment, then one shell, command or subsystem.
 *
 * A start request is accepted at once, because ssh2 drops what a client sends before the answer. It is then
 * decided before anything runs. A refusal is a sentence on stderr and exit status 255, which is how ssh(1)
 * says "no session". Read `#listen`, then `#run`.
 *
 * @module
 */
import type { ServerChannel, Session } from "ssh2";
import { sftpMode } from "../../policy/decide/capabilities.ts";
import { channelIdOf } from "../../sshcore/ssh2-internals.ts";
import { COMMAND_BYTES_MAX } from "../../wire/decision.ts";
import type { SshCapabilities } from "../../wire/policy.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { SessionRecording } from "../contracts/recorder.ts";
import type { Exit } from "../os/child-spec.ts";
import type { WindowSize } from "../os/pty.ts";
import { ClientEnvironment } from "./client-environment.ts";
import { argvOf, describeStart, endOf, REFUSED_STATUS, type Start, signalOf } from "./command.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { permit, refuse } from "./permit.ts";
import type { Program } from "./program.ts";
import {
  type SessionFacts,
  type SessionPermit,
  sessionFacts,
  sftpServiceOf,
  startEventOf,
  startFailureText,
  startSessionProgram,
} from "./session-program.ts";
import { isRecordedEnough, mayUseAgent, runRecorded } from "./session-recording.ts";

/** How ssh(1) says "no session". */
const REFUSED: Exit = { status: REFUSED_STATUS, signal: null };
/** How long a client has to show a line before the next answer. */
const SAID_FIRST_MS = 50;
/** Signals kept while the program is being started. */
const EARLY_SIGNALS_MAX = 8;
/** Characters recorded of a command that is too long. */
const LONG_COMMAND_CHARS_MAX = 1_024;
const TERMINAL_TYPE = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;

export class SshSession {
  readonly channelId: number;
  readonly #context: ConnectionContext;
  readonly #sessionId: number;
  /** Environment variables as the client sent them. */
  readonly #client = new ClientEnvironment();
  #terminal: { type: string; size: WindowSize } | null = null;
  #terminalModes: Uint8Array = new Uint8Array(0);
  #start: Start | null = null;
  /** Null: the client has not offered its agent. */
  #agentSocket: Promise<string | null> | null = null;
  #program: Program | null = null;
  readonly #earlySignals: NodeJS.Signals[] = [];
  #channel: ServerChannel | null = null;
  /** Undefined: not decided yet. */
  #recording: SessionRecording | null | undefined;
  /** The SFTP session may change files. */
  #mayWrite = false;
  #isClosed = false;

  /** `sessionId` numbers the sessions of a connection from 0; audit uses it. */
  constructor(context: ConnectionContext, session: Session, sessionId: number) {
    this.#context = context;
    this.#sessionId = sessionId;
    this.channelId = channelIdOf(session);
    this.#listen(session);
  }

  get description(): string {
    return describeStart(this.#start);
  }

  get hasBegun(): boolean {
    return this.#start !== null;
  }

  /** Why a rule that allows the start does not allow the session as it is. Null: it does. */
  #denialUnder(capabilities: SshCapabilities): ReasonCode | null {
    if (!isRecordedEnough(this.#recording, capabilities)) return "recording_unavailable";
    if (this.#mayWrite && sftpMode(capabilities) !== "write") return "sftp_read_only";
    const hasTerminal = this.#terminal !== null && this.#start?.kind !== "sftp";
    return hasTerminal && capabilities.pty === false ? "pty_not_allowed" : null;
  }

  setTerminalModes(modes: Uint8Array): void {
    this.#terminalModes = modes;
  }

  /** The client reads no more stdout. A program that still writes gets SIGPIPE, as under sshd. */
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

  /** False: it cannot be delivered. A signal that arrives before the program has started is kept. */
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
      // Names are checked again when the session begins.
      const answer = this.#context.permits.authorize({ kind: "connect" });
      const isTaken = !this.hasBegun && this.#client.add(key, val, answer);
      if (isTaken) accept?.();
      else reject?.();
    });
    session.on("pty", (accept, reject, info) => {
      if (this.hasBegun) return void reject?.();
      const { term, cols, rows, width, height } = info as unknown as WindowSize & { term: string };
      // Decided together with the start: refused here, ssh(1) would leave before it shows why.
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
      if (this.hasBegun) return void reject?.();
      const isAllowed = this.#context.permits.authorize({ kind: "agent_forwarding" }).kind === "allow";
      // Also when it is refused, so that the refusal is recorded.
      this.#agentSocket ??= this.#context.agentSocket();
      if (isAllowed) accept?.();
      else reject?.();
    });
    session.on("x11", (_accept, reject) => {
      reject?.();
      // ssh(1) continues without X11; its own warning gives no reason.
      const { permits } = this.#context;
      void refuse(permits, permits.authorize({ kind: "x11_forwarding" })).then(({ line }) => this.say(line));
    });
    session.on("close", () => this.#onClose());
  }

  /** A function instead of a channel means that a program has begun already; call it to refuse the second. */
  #begin(channel: ServerChannel | (() => void) | undefined, start: Start): void {
    if (channel === undefined || typeof channel === "function") {
      channel?.();
      return;
    }
    this.#channel = channel;
    this.#start = start;
    this.#run(channel, start).catch((cause: unknown) => {
      const { connectionId, log, permits } = this.#context;
      if (permits.isOver()) return this.#end(channel, null, REFUSED);
      log.error("a session could not be started", { connectionId }, cause);
      this.#end(channel, startFailureText(cause), REFUSED);
    });
  }

  async #run(channel: ServerChannel, start: Start): Promise<void> {
    const { permits } = this.#context;
    // As with sshd: if a listener is refused that must exist, ssh(1) leaves and nothing runs.
    await this.#context.requestsAnswered();
    for (const line of this.#context.takeNotices()) this.say(line);
    if (start.kind === "exec" && Buffer.byteLength(start.command) > COMMAND_BYTES_MAX) {
      const command = start.command.slice(0, LONG_COMMAND_CHARS_MAX);
      const tooLong = await refuse(permits, permits.deny("command_too_long", { kind: "exec", command }));
      return this.#end(channel, tooLong.line, REFUSED);
    }
    const answer = await permit<"session.start", SessionFacts>(
      permits,
      {
        action: start,
        also: this.#terminal === null ? undefined : { kind: "pty" },
        refuse: (capabilities) => this.#denialUnder(capabilities),
        facts: (grant) => sessionFacts(this.#context, start, grant),
        isGone: () => this.#isClosed,
      },
      (grant, { account }) =>
        startEventOf(start, argvOf(start, account, grant), {
          sessionId: this.#sessionId,
          pty: this.#terminal !== null,
        }),
    );
    if (answer.kind === "deny") return this.#end(channel, answer.line, REFUSED);
    if (answer.kind === "over") return;
    let exit: Exit = REFUSED;
    try {
      exit = await this.#recorded(channel, start, answer);
    } finally {
      await answer.end({ exitStatus: exit.status, signal: exit.signal });
    }
    // If a listener requested meanwhile was refused, the command's stderr says why.
    await this.#context.requestsAnswered();
    this.#end(channel, null, exit);
  }

  #recorded(channel: ServerChannel, start: Start, permitted: SessionPermit): Promise<Exit> {
    return runRecorded(this.#context, permitted, {
      ...{ sessionId: this.#sessionId, start, terminal: this.#terminal },
      say: (line) => this.say(line),
      run: (recording) => {
        this.#recording = recording;
        return this.#execute(channel, start, permitted);
      },
    });
  }

  async #execute(channel: ServerChannel, start: Start, permitted: SessionPermit): Promise<Exit> {
    // The present grant counts, which may allow less than the first.
    const { grant } = permitted;
    const isFiles = start.kind === "sftp";
    const sftp = isFiles ? sftpServiceOf(permitted, this.#sessionId) : undefined;
    this.#mayWrite = sftp?.mode === "write";
    // How it runs is known only now, and what it may do may have changed since its permit.
    this.#context.recheck();
    if (this.#context.permits.isOver()) return REFUSED;
    const program = await startSessionProgram(this.#context, permitted, {
      start,
      channel,
      channelId: this.channelId,
      client: this.#client.under(grant.capabilities, (line) => this.say(line)),
      terminal: this.#terminal === null || isFiles ? null : { ...this.#terminal, modes: this.#terminalModes },
      sftp,
      recording: this.#recording ?? null,
      // One grant covers the whole session, so another rule cannot add the agent.
      agentSocket: mayUseAgent(grant, this.#recording) ? await this.#agentSocket : null,
    });
    this.#program = program;
    // Changes that arrived while it was being started.
    if (this.#terminal !== null) program.resize(this.#terminal.size);
    for (const signal of this.#earlySignals) program.signal(signal);
    if (this.#isClosed) program.hangUp();
    return program.done;
  }

  /** Explains first, because ssh(1) leaves at once after the answer. */
  async #respondUnknownSubsystem(reject: (() => void) | undefined): Promise<void> {
    const { permits } = this.#context;
    this.say((await refuse(permits, permits.deny("subsystem_unknown", { kind: "sftp" }))).line);
    await Bun.sleep(SAID_FIRST_MS);
    reject?.();
  }

  /** Exit status or signal, then the end of both directions (RFC 4254 sections 5.3 and 6.10). */
  #end(channel: ServerChannel, text: string | null, exit: Exit): void {
    if (text !== null) this.say(text);
    const end = endOf(exit);
    if ("signal" in end) this.#context.transport.sendExitSignal(this.channelId, end.signal);
    else this.#context.transport.sendExitStatus(this.channelId, end.status);
    // The client reads no more, so drop further input.
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
