/**
 * The agent's side of a session's monitor (monitor-process.ts): asks it about an account, has it open a
 * session and start the child in it. Whatever goes wrong there is a refusal here.
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

/** Longest that modules may think about an account. */
const ACCOUNT_TIMEOUT_MS = 10_000;
/** Longest that they may take to open a session: some mount a home. */
const SESSION_TIMEOUT_MS = 30_000;

/** PAM, or the process that asked it, wants no session. */
export class MonitorError extends Error {
  override readonly name = "MonitorError";
  /** What modules said to the person; may be empty. */
  readonly text: string;

  constructor(message: string, text = "") {
    super(message);
    this.text = text;
  }
}

/**
 * Starts one: `helper`, or this executable where that is null. Throws when the operating system has no
 * process or descriptor left.
 */
export async function openMonitor(helper: string | null = helperPath()): Promise<Monitor> {
  return new Monitor(await openMonitorProcess(helper));
}

/** One that `server` forks. Throws when it cannot. */
export async function openForkedMonitor(server: ForkServer): Promise<Monitor> {
  return new Monitor(await openForkedProcess(server));
}

/** What is known of a session before its monitor opens it. */
export interface SessionSetting {
  readonly remoteHost: string;
  /** Path of its terminal. Null: none. */
  readonly terminal: string | null;
  /** Somebody reads what is shown: the message of the day and the like. */
  readonly isInteractive: boolean;
}

/** One account, one session. */
export class Monitor {
  readonly #process: MonitorProcess;
  readonly #spared: () => void;
  /** What modules said of an account that may be used: that a password ends soon, say. */
  #notice = "";
  #isClosed = false;
  #hasSession = false;

  constructor(monitorProcess: MonitorProcess) {
    this.#process = monitorProcess;
    this.#spared = spareSession(monitorProcess.pid);
    void monitorProcess.exited.then(() => this.#onExit());
  }

  /** True once it takes no more orders. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** PAM's code for the account, and what modules said. Throws MonitorError. */
  async checkAccount(user: string, remoteHost: string): Promise<{ code: number; text: string }> {
    await this.#process.send({ kind: "account", service: pamService(), user, remoteHost }, []);
    const answer = await this.#next(ACCOUNT_TIMEOUT_MS);
    if (answer.kind !== "account") throw refusalOf(answer);
    this.#notice = answer.text;
    return answer;
  }

  /** How `spawnAs` starts a child in a session of this monitor. */
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
        // It closes what it has opened, and ends: its child gets no spec.
        this.close();
        this.#process.release();
        throw cause;
      } finally {
        closeSync(orders.childFd);
        orders.writer.close();
      }
    };
  }

  /** No more orders. One without a session ends; one with a session ends with it. */
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
    try {
      const answer = await this.#process.next();
      if (answer !== null) return answer;
    } finally {
      clearTimeout(timer);
    }
    throw new MonitorError("the monitor of a session has ended");
  }

  /** A monitor that is gone takes its session along. */
  async #exitOf(pid: number): Promise<Exit> {
    const answer = await this.#process.next();
    this.close();
    this.#process.release();
    if (answer?.kind === "exited") return answer.exit;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It is gone as well.
    }
    return { status: null, signal: "SIGKILL" };
  }

  #onExit(): void {
    this.close();
    this.#spared();
    // The last answer of a session may still be unread.
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
      // As PAM has it for programs whose user sees nothing of what it says.
      isSilent: !setting.isInteractive,
      command: runsItself ? null : ownChildCommand(spec),
    },
  };
}

/** `spec` with what modules changed in the monitor. A child of the helper has inherited all but the words. */
function preparedSpec(spec: ChildSpec, { words, groups, umask, limits }: StartedAnswer): ChildSpec {
  return { ...spec, env: mergeEnvironment(spec.env, words), groups, umask, limits };
}

/** Never from PAM: what decides what runs before the shell, and what says whose session this is. */
const OWN_NAMES = /^(?:LD_|DYLD_|BUN_|NODE_|QF_|SSH_|(?:USER|LOGNAME|HOME|SHELL|TERM|IFS)$)/;

/** As from sshd, PAM has the last word on what is not about the connection. `words`: `NAME=value` each. */
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
