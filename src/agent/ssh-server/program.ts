/**
 * A program of a session: started as the user, its bytes moved both ways with back-pressure, ended the
 * way sshd(8) ends one.
 *
 * @module
 */
import type { Readable } from "node:stream";
import { releaseBuffer } from "../../base/release-buffer.ts";
import type { SshTransport } from "../../sshcore/ssh-transport.ts";
import type { TerminalMode } from "../../sshcore/terminal-modes.ts";
import type { SftpOperationRecord } from "../../wire/sftp-operation.ts";
import type { SessionRecording } from "../contracts/recorder.ts";
import type { Exit } from "../os/child-spec.ts";
import type { Containment } from "../os/containment.ts";
import type { Monitor } from "../os/monitor.ts";
import type { FdReader, FdWriter } from "../os/pipes.ts";
import { openPty, type Pty, type WindowSize } from "../os/pty.ts";
import { type Launch, type SpawnedChild, spawnAs } from "../os/spawn.ts";
import type { LocalAccount } from "../os/users.ts";
import { InputGatherer } from "./input-gatherer.ts";
import { recordedInput } from "./recorded-input.ts";
import { serveSftpAudit } from "./sftp-audit.ts";

export interface ProgramRequest {
  readonly account: LocalAccount;
  /** Change to the account's ids; false when the agent is that user itself. */
  readonly drop: boolean;
  /** Absolute path, and argv with its own first word. */
  readonly file: string;
  readonly argv: readonly string[];
  /** Serve SFTP rather than run `file`. */
  readonly sftp?: SftpService;
  readonly terminal: {
    readonly type: string;
    readonly size: WindowSize;
    readonly modes: readonly TerminalMode[];
  } | null;
  /** Made once the terminal's path is known. */
  environment(terminal: { readonly path: string; readonly type: string } | null): Record<string, string>;
  /** Opens the operating system's session around the program. Null: there is none to open. */
  readonly monitor: Monitor | null;
  /** Address of the other end, for that session. */
  readonly remoteHost: string;
  /** A login shell that somebody looks at. */
  readonly isInteractive: boolean;
  readonly containment: Containment;
  readonly transport: SshTransport;
  readonly channelId: number;
  /** What the client sends. */
  readonly input: Readable;
  /** Null: it is not recorded. */
  readonly recording: SessionRecording | null;
}

export interface SftpService {
  /** How far. */
  readonly mode: "write" | "read";
  /** Stores what was done; false when it cannot be. */
  record(operations: readonly SftpOperationRecord[]): Promise<boolean>;
  /** Said once to the person when it could not be. */
  readonly refusal: string;
}

export interface Program {
  readonly hasTerminal: boolean;
  /** Settles when it has ended and all it wrote was sent, or nobody wants that any more. Never rejects. */
  readonly done: Promise<Exit>;
  signal(signal: NodeJS.Signals): void;
  resize(size: WindowSize): void;
  /** Nobody reads its stdout any more: a pipe closes, a terminal fills up. */
  stopOutput(): void;
  /** The client has gone: as from sshd, a terminal hangs up and pipes close. Background jobs live on. */
  hangUp(): void;
}

/** Silence after which a terminal whose shell has ended is taken to have said everything. */
const TERMINAL_QUIET_MS = 100;

/** Starts it. Throws when the operating system has no terminal, process or descriptor left. */
export async function startProgram(request: ProgramRequest): Promise<Program> {
  const { account, terminal } = request;
  let pty: Pty | null = null;
  let child: SpawnedChild;
  request.containment.prepare();
  try {
    pty =
      terminal === null
        ? null
        : await openPty({ uid: account.uid, size: terminal.size, modes: terminal.modes });
    child = await spawnAs({
      pty,
      ...(request.monitor === null ? {} : { launch: launchBy(request.monitor, request, pty) }),
      contain: (pid) => request.containment.add(pid, account.uid),
      spec: {
        user: account.name,
        uid: account.uid,
        // An agent without root stays what it is, whatever group it was started with.
        gid: request.drop ? account.gid : (process.getgid?.() ?? account.gid),
        drop: request.drop,
        tty: pty !== null,
        home: account.home,
        ...(request.sftp === undefined ? {} : { sftp: request.sftp.mode }),
        file: request.file,
        argv: request.argv,
        env: {
          ...request.environment(
            pty === null || terminal === null ? null : { path: pty.path, type: terminal.type },
          ),
          ...request.containment.environment,
        },
      },
    });
  } catch (cause) {
    pty?.close();
    request.monitor?.close();
    throw cause;
  }
  return new RunningProgram(request, child, pty);
}

function launchBy(monitor: Monitor, { remoteHost, isInteractive }: ProgramRequest, pty: Pty | null): Launch {
  return monitor.launchFor({ remoteHost, terminal: pty?.path ?? null, isInteractive });
}

class RunningProgram implements Program {
  readonly done: Promise<Exit>;
  readonly #request: ProgramRequest;
  readonly #child: SpawnedChild;
  readonly #pty: Pty | null;
  #isHungUp = false;
  #lastOutputMs = 0;

  constructor(request: ProgramRequest, child: SpawnedChild, pty: Pty | null) {
    this.#request = request;
    this.#child = child;
    this.#pty = pty;
    const { recording, terminal } = request;
    if (recording !== null && pty !== null && terminal !== null) recording.attach(pty);
    pumpInput(request.input, recordedInput(child.stdin, pty, recording), pty === null);
    void recording?.failed.then(() => this.#cut());
    this.done = this.#run();
  }

  get hasTerminal(): boolean {
    return this.#pty !== null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.signalGroup(signal);
  }

  resize(size: WindowSize): void {
    this.#pty?.resize(size);
    if (this.#pty !== null) this.#request.recording?.resize(size);
  }

  stopOutput(): void {
    if (this.#pty === null) this.#child.stdout.close();
  }

  hangUp(): void {
    if (this.#isHungUp) return;
    this.#isHungUp = true;
    // Without a terminal nothing hangs up: what still writes gets SIGPIPE, what does not goes on.
    if (this.#pty !== null) this.#child.signalGroup("SIGHUP");
    this.#closeAll();
  }

  async #run(): Promise<Exit> {
    const { stdout, stderr, exited } = this.#child;
    const output = [this.#pumpOutput(stdout, "stdout")];
    const audit = this.#serveSftpAudit();
    if (audit !== null) output.push(audit);
    else if (stderr !== null) output.push(this.#pumpOutput(stderr, "stderr"));
    const drained = Promise.all(output);
    const exit = await exited;
    if (this.#pty === null) await drained;
    else await Promise.race([drained, this.#terminalQuiet()]);
    this.#closeAll();
    stderr?.close();
    return exit;
  }

  /** What an SFTP server tells of itself, to its last word. Null: it is none. */
  #serveSftpAudit(): Promise<void> | null {
    const { transport, channelId, sftp } = this.#request;
    const { stderr, answers } = this.#child;
    if (sftp === undefined || stderr === null || answers === null) return null;
    const say = (text: string): Promise<unknown> =>
      transport.writeChannel(channelId, "stderr", Buffer.from(text));
    return serveSftpAudit({
      reader: stderr,
      answers,
      record: (operations) => sftp.record(operations),
      say,
      onRefused: () => {
        void say(`${sftp.refusal}\n`);
        // It ends by itself when it hears the answer; one that waits for its client hears nothing.
        this.#child.stdin.close();
      },
    });
  }

  /** A reader that is gone closes its pipe, so that the program gets SIGPIPE as from sshd. */
  async #pumpOutput(reader: FdReader, kind: "stdout" | "stderr"): Promise<void> {
    const { transport, channelId } = this.#request;
    const { recording } = this.#request;
    for (let data = await reader.read(); data !== null; data = await reader.read()) {
      const held = recording?.output(data, kind) ?? null;
      if (held !== null) await held;
      if (recording?.hasFailed === true) break;
      const count = transport.writeNow(channelId, kind, data);
      if (count < data.length && !(await transport.writeChannel(channelId, kind, data.subarray(count))))
        break;
      this.#lastOutputMs = performance.now();
      releaseBuffer(data);
    }
    if (this.#pty === null) reader.close();
  }

  /** A job in the background may keep the terminal open for as long as it likes. */
  async #terminalQuiet(): Promise<void> {
    const endedMs = performance.now();
    for (;;) {
      await Bun.sleep(TERMINAL_QUIET_MS / 4);
      const sinceMs = performance.now() - Math.max(endedMs, this.#lastOutputMs);
      if (sinceMs >= TERMINAL_QUIET_MS || this.#isHungUp) return;
    }
  }

  /** It must be recorded and no longer can be: nothing more of it is shown, and it does not go on. */
  #cut(): void {
    this.#isHungUp = true;
    this.#closeAll();
    this.#child.signalGroup("SIGKILL");
  }

  #closeAll(): void {
    this.#child.stdin.close();
    this.#child.stdout.close();
    // What serves SFTP has the end of its files to tell of, which its own end ends.
    if (this.#child.answers === null) this.#child.stderr?.close();
    this.#pty?.close();
  }
}

/**
 * Moves what the client sends to the program, one piece at a time. The end of it closes a pipe; a
 * terminal has no such end. What nobody reads any more is thrown away, so that the client is not held up.
 */
function pumpInput(input: Readable, writer: FdWriter, closesAtEnd: boolean): void {
  let isGone = false;
  const gatherer = new InputGatherer((data) => {
    const taken = isGone ? null : writer.write(data);
    if (taken === null) return null;
    input.pause();
    return taken.then(
      () => input.resume(),
      () => {
        isGone = true;
        input.resume();
      },
    );
  });
  input.on("data", (data: Buffer) => {
    if (!isGone) gatherer.add(data);
  });
  input.once("end", () => {
    const close = (): void => {
      if (closesAtEnd) writer.close();
    };
    const left = gatherer.flush();
    if (left === null) close();
    else void left.then(close);
  });
}
