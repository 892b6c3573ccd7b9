/**
 * A program of a session: started as the user, its bytes moved both ways with back-pressure, and ended as
 * sshd(8) does.
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
  /** Whether to switch to the account's ids. False: the agent is that user. */
  readonly drop: boolean;
  /** Absolute path. `argv` includes argv[0]. */
  readonly file: string;
  readonly argv: readonly string[];
  /** Serves SFTP instead of running `file`. */
  readonly sftp?: SftpService;
  readonly terminal: {
    readonly type: string;
    readonly size: WindowSize;
    readonly modes: readonly TerminalMode[];
  } | null;
  /** Called once the terminal's path is known. */
  environment(terminal: { readonly path: string; readonly type: string } | null): Record<string, string>;
  /** Opens the PAM session around the program. Null: there is none. */
  readonly monitor: Monitor | null;
  /** Client address for the PAM session. */
  readonly remoteHost: string;
  /** A login shell on a terminal. */
  readonly isInteractive: boolean;
  readonly containment: Containment;
  /** The connection is ending or closed, so the program must not begin any more. */
  isOver(): boolean;
  readonly transport: SshTransport;
  readonly channelId: number;
  /** Input from the client. */
  readonly input: Readable;
  /** Null: it is not recorded. */
  readonly recording: SessionRecording | null;
}

export interface SftpService {
  /** Whether the client may change files. */
  readonly mode: "write" | "read";
  /** Stores what was done. False: it cannot be stored. */
  record(operations: readonly SftpOperationRecord[]): Promise<boolean>;
  /** Shown to the person once when storing failed. */
  readonly refusal: string;
}

export interface Program {
  readonly hasTerminal: boolean;
  /** Settles when the program ended and its output was sent, or the client is gone. Never rejects. */
  readonly done: Promise<Exit>;
  signal(signal: NodeJS.Signals): void;
  resize(size: WindowSize): void;
  /** The client reads no more stdout: a pipe is closed, a terminal fills up. */
  stopOutput(): void;
  /** The client left. As with sshd, a terminal hangs up, pipes close, and background jobs live on. */
  hangUp(): void;
}

/** After a terminal's shell has ended, this much silence means that its output is complete. */
const TERMINAL_QUIET_MS = 100;

/**
 * Starts a program. Throws when no terminal, process or descriptor is available, or the connection is over.
 */
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
    refuseOver(request);
    child = await spawnAs({
      pty,
      ...(request.monitor === null ? {} : { launch: launchBy(request.monitor, request, pty) }),
      contain: (pid) => contain(request, pid),
      spec: {
        user: account.name,
        uid: account.uid,
        // Without root the agent keeps its own group, whichever it was started with.
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

/** Last check before a program begins: a revocation closes forwards first, and kills only then. */
async function contain(request: ProgramRequest, pid: number): Promise<void> {
  await request.containment.add(pid, request.account.uid);
  refuseOver(request);
}

function refuseOver({ isOver }: ProgramRequest): void {
  if (isOver()) throw new Error("the connection is over");
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
    // Without a terminal there is no hang-up: a program that still writes gets SIGPIPE, others go on.
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

  /** Serves the audit records of an SFTP server until it ends. Null: this is not one. */
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
        // The server ends when it reads the answer. One that waits for its client reads none, so close its
        // input.
        this.#child.stdin.close();
      },
    });
  }

  /** When the client reads no more, the pipe is closed, so that the program gets SIGPIPE as under sshd. */
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

  /** Does not wait for background jobs, which may keep the terminal open for as long as they like. */
  async #terminalQuiet(): Promise<void> {
    const endedMs = performance.now();
    for (;;) {
      await Bun.sleep(TERMINAL_QUIET_MS / 4);
      const sinceMs = performance.now() - Math.max(endedMs, this.#lastOutputMs);
      if (sinceMs >= TERMINAL_QUIET_MS || this.#isHungUp) return;
    }
  }

  /** Recording failed and is required: show nothing more, and kill the program. */
  #cut(): void {
    this.#isHungUp = true;
    this.#closeAll();
    this.#child.signalGroup("SIGKILL");
  }

  #closeAll(): void {
    this.#child.stdin.close();
    this.#child.stdout.close();
    // An SFTP server still has to report that its files are closed; its exit closes this pipe.
    if (this.#child.answers === null) this.#child.stderr?.close();
    this.#pty?.close();
  }
}

/**
 * Moves client input to the program, one piece at a time. The end of input closes a pipe; a terminal has no
 * such end. Input that the program no longer reads is dropped, so that the client does not stall.
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
