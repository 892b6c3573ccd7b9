/**
 * The agent's side of a session's monitor (monitor-process.ts): has it check an account, open a session and
 * start the child in it. Any failure is a refusal.
 *
 * @module
 */
import { closeSync } from "node:fs";
import type { ChildSpec, Exit } from "./child-spec.ts";
import type { ForkServer } from "./fork-server.ts";
import { greetingOf } from "./greeting.ts";
import { lastLogin } from "./login-records.ts";
import type { MonitorAnswer, MonitorOrder, StartedAnswer } from "./monitor-orders.ts";
import { type MonitorProcess, openForkedProcess, openMonitorProcess } from "./monitor-process.ts";
import { hasPam, pamService } from "./pam.ts";
import { openInputPipe } from "./pipes.ts";
import { spareSession } from "./processes.ts";
import { helperPath } from "./session-helper.ts";
import { isForHelper, type Launch, ownChildCommand, specBytes } from "./spawn.ts";

/** Longest that modules may take to check an account. */
const ACCOUNT_TIMEOUT_MS = 10_000;
/** Longest that modules may take to open a session. Some mount a home directory. */
const SESSION_TIMEOUT_MS = 30_000;
/**
 * Longest wait for the answer of a monitor that has ended. It was sent before, but the end is told over
 * another socket, and may be heard first.
 */
const LAST_ANSWER_MS = 1_000;

/** PAM, or the process that called it, refused the session. */
export class MonitorError extends Error {
  override readonly name = "MonitorError";
  /** What modules said to the person. May be empty. */
  readonly text: string;

  constructor(message: string, text = "") {
    super(message);
    this.text = text;
  }
}

/**
 * Starts a monitor: `helper`, or this executable if null. Throws when no process or descriptor is available.
 */
export async function openMonitor(helper: string | null = helperPath()): Promise<Monitor> {
  return new Monitor(await openMonitorProcess(helper));
}

/** Has `server` fork a monitor. Throws when it cannot. */
export async function openForkedMonitor(server: ForkServer): Promise<Monitor> {
  return new Monitor(await openForkedProcess(server));
}

/** Facts about a session, needed before its monitor opens it. */
export interface SessionSetting {
  readonly remoteHost: string;
  /** Path of the terminal. Null: none. */
  readonly terminal: string | null;
  /** A person sees what is shown, such as the message of the day. */
  readonly isInteractive: boolean;
}

/** A monitor of one account and one session. */
export class Monitor {
  readonly #process: MonitorProcess;
  readonly #spared: () => void;
  /** What modules said about a usable account, for example that its password expires soon. */
  #notice = "";
  #isClosed = false;
  #hasSession = false;
  /** An order waits for its answer. */
  #isAsked = false;

  constructor(monitorProcess: MonitorProcess) {
    this.#process = monitorProcess;
    this.#spared = spareSession(monitorProcess.pid);
    void monitorProcess.exited.then(() => this.#onExit());
  }

  /** True once it accepts no more orders. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** PAM's code for the account and its modules' messages. Throws MonitorError. */
  async checkAccount(user: string, remoteHost: string): Promise<{ code: number; text: string }> {
    await this.#process.send({ kind: "account", service: pamService(), user, remoteHost }, []);
    const answer = await this.#next(ACCOUNT_TIMEOUT_MS);
    if (answer.kind !== "account") throw refusalOf(answer);
    this.#notice = answer.text;
    return answer;
  }

  /** Makes `spawnAs` start a child in a session of this monitor. */
  launchFor(setting: SessionSetting): Launch {
    return async ({ spec, contain }, stdio) => {
      if (this.#isClosed) throw new MonitorError("the monitor of a session has ended");
      this.#hasSession = true;
      const orders = openInputPipe();
      try {
        const last = setting.terminal === null ? null : lastLogin(spec.uid);
        const runsItself = this.#process.isHelper && isForHelper(spec);
        const started = await this.#open(sessionOrder(setting, spec, runsItself), [...stdio, orders.childFd]);
        await contain(started.pid);
        const greeting = setting.isInteractive ? greetingOf(`${this.#notice}${started.text}`, last) : "";
        const prepared = { ...(hasPam() ? preparedSpec(spec, started) : spec), greeting };
        await orders.writer.write(specBytes(prepared, runsItself))?.catch(() => {});
        return { pid: started.pid, exited: this.#exitOf(started.pid) };
      } catch (cause) {
        // The monitor closes what it opened and ends, because its child gets no spec.
        this.close();
        this.#process.release();
        throw cause;
      } finally {
        closeSync(orders.childFd);
        orders.writer.close();
      }
    };
  }

  /** Stops orders. A monitor without a session ends now; one with a session ends with it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#process.finish();
  }

  kill(): void {
    this.close();
    this.#process.kill();
  }

  async #open(order: MonitorOrder, fds: readonly number[]): Promise<StartedAnswer> {
    await this.#process.send(order, fds);
    const answer = await this.#next(SESSION_TIMEOUT_MS);
    if (answer.kind !== "started") throw refusalOf(answer);
    return answer;
  }

  async #next(timeoutMs: number): Promise<MonitorAnswer> {
    const timer = setTimeout(() => this.kill(), timeoutMs);
    this.#isAsked = true;
    try {
      const answer = await this.#process.next();
      if (answer !== null) return answer;
    } finally {
      this.#isAsked = false;
      clearTimeout(timer);
    }
    throw new MonitorError("the monitor of a session has ended");
  }

  /** If the monitor dies, its session is killed. */
  async #exitOf(pid: number): Promise<Exit> {
    const answer = await this.#process.next();
    this.close();
    this.#process.release();
    if (answer?.kind === "exited") return answer.exit;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // The session is gone as well.
    }
    return { status: null, signal: "SIGKILL" };
  }

  #onExit(): void {
    this.close();
    this.#spared();
    if (this.#isAsked) setTimeout(() => this.#release(), LAST_ANSWER_MS);
    else this.#release();
  }

  #release(): void {
    // A session's last answer may still be unread.
    if (!this.#hasSession) this.#process.release();
  }
}

function refusalOf(answer: MonitorAnswer): MonitorError {
  const isRefusal = answer.kind === "refused";
  return new MonitorError(isRefusal ? answer.message : "an answer out of turn", isRefusal ? answer.text : "");
}

function sessionOrder(setting: SessionSetting, spec: ChildSpec, runsItself: boolean): MonitorOrder {
  return {
    kind: "session",
    session: {
      ...{ service: pamService(), user: spec.user, uid: spec.uid, gid: spec.gid },
      ...{ remoteHost: setting.remoteHost, terminal: setting.terminal, hasModules: hasPam() },
      // PAM_SILENT: the user does not see what modules print.
      isSilent: !setting.isInteractive,
      command: runsItself ? null : ownChildCommand(spec),
    },
  };
}

/** Adds to `spec` what modules changed. The helper's child has inherited all but the environment words. */
function preparedSpec(spec: ChildSpec, { words, groups, umask, limits }: StartedAnswer): ChildSpec {
  return { ...spec, env: mergeEnvironment(spec.env, words), groups, umask, limits };
}

/** Names that PAM may not set: those that affect what runs before the shell, or identify the session. */
const OWN_NAMES = /^(?:LD_|DYLD_|BUN_|NODE_|QF_|SSH_|(?:USER|LOGNAME|HOME|SHELL|TERM|IFS)$)/;

/**
 * As under sshd, PAM's values win, except for variables about the connection. `words`: `NAME=value` entries.
 */
export function mergeEnvironment(
  session: Readonly<Record<string, string>>,
  words: readonly string[],
): Record<string, string> {
  const merged: Record<string, string> = { ...session };
  for (const word of words) {
    const equals = word.indexOf("=");
    const name = word.slice(0, equals);
    if (equals > 0 && !OWN_NAMES.test(name)) merged[name] = word.slice(equals + 1);
  }
  return merged;
}
