/**
 * The agent's side of a session's monitor (monitor-child.ts): asks it about an account, has it open a
 * session and start the child in it. Whatever goes wrong there is a refusal here.
 *
 * @module
 */
import { closeSync } from "node:fs";
import { openDescriptorSocket, sendDescriptor } from "../../base/descriptors.ts";
import { createLines } from "./forward-helper-protocol.ts";
import type { MonitorAnswer, MonitorOrder } from "./monitor-orders.ts";
import { spareSession } from "./processes.ts";
import { type Exit, type Launch, type SpawnedChild, spawnAs } from "./spawn.ts";

/** Longest that modules may think about an account. */
const ACCOUNT_TIMEOUT_MS = 10_000;
/** Longest that they may take to open a session: some mount a home. */
const SESSION_TIMEOUT_MS = 30_000;
/** An answer holds what modules said. */
const ANSWER_BYTES_MAX = 512 * 1024;

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

/** Starts one. Throws when the operating system has no process or descriptor left. */
export async function openMonitor(): Promise<Monitor> {
  const [ownFd, childFd] = openDescriptorSocket();
  try {
    const child = await spawnAs({
      pty: null,
      extraFd: childFd,
      // Not the connection's: it has to close the session when all of that is gone.
      contain: async () => {},
      spec: {
        ...{ user: "root", uid: 0, gid: 0, drop: false, tty: false },
        ...{ home: "/", file: "/", argv: [], env: {}, isMonitor: true },
      },
    });
    return new Monitor(child, ownFd);
  } catch (cause) {
    closeSync(ownFd);
    throw cause;
  }
}

/** One account, one session. */
export class Monitor {
  readonly #child: SpawnedChild;
  readonly #fd: number;
  readonly #spared: () => void;
  readonly #answers: AsyncGenerator<MonitorAnswer>;
  #isClosed = false;
  #hasSession = false;

  constructor(child: SpawnedChild, fd: number) {
    this.#child = child;
    this.#fd = fd;
    this.#spared = spareSession(child.pid);
    this.#answers = answersOf(child);
    void this.#drainErrors();
    void child.exited.then(() => this.#onExit());
  }

  /** True once it takes no more orders. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** PAM's code for the account, and what modules said. Throws MonitorError. */
  async checkAccount(user: string, remoteHost: string): Promise<{ code: number; text: string }> {
    await this.#send({ kind: "account", user, remoteHost });
    const answer = await this.#next(ACCOUNT_TIMEOUT_MS);
    if (answer.kind === "account") return answer;
    throw this.#refusalOf(answer);
  }

  /** How `spawnAs` starts a child in a session of this monitor. */
  launchFor(session: {
    readonly remoteHost: string;
    readonly terminal: string | null;
    readonly isInteractive: boolean;
  }): Launch {
    return async ({ spec, contain }, stdio) => {
      if (this.#isClosed) throw new MonitorError("the monitor of a session has ended");
      try {
        this.#hasSession = true;
        for (const fd of stdio) sendDescriptor(this.#fd, fd);
        await this.#send({ kind: "session", session: { ...session, spec } });
        const answer = await this.#next(SESSION_TIMEOUT_MS);
        if (answer.kind !== "started") throw this.#refusalOf(answer);
        await contain(answer.pid);
        await this.#send({ kind: "go" });
        return { pid: answer.pid, exited: this.#exitOf(answer.pid) };
      } catch (cause) {
        // It closes what it has opened, and ends.
        this.close();
        this.#child.stdout.close();
        throw cause;
      }
    };
  }

  /** No more orders. One without a session ends; one with a session ends with it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#child.stdin.close();
  }

  kill(): void {
    this.close();
    this.#child.signalGroup("SIGKILL");
  }

  async #send(order: MonitorOrder): Promise<void> {
    await this.#child.stdin.write(Buffer.from(`${JSON.stringify(order)}\n`));
  }

  async #next(timeoutMs: number): Promise<MonitorAnswer> {
    const timer = setTimeout(() => this.kill(), timeoutMs);
    try {
      const { value, done } = await this.#answers.next();
      if (done !== true) return value;
    } finally {
      clearTimeout(timer);
    }
    throw new MonitorError("the monitor of a session has ended");
  }

  /** A monitor that is gone takes its session along. */
  async #exitOf(pid: number): Promise<Exit> {
    const { value } = await this.#answers.next();
    this.close();
    this.#child.stdout.close();
    if (value?.kind === "exited") return value.exit;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It is gone as well.
    }
    return { status: null, signal: "SIGKILL" };
  }

  #refusalOf(answer: MonitorAnswer): MonitorError {
    const isRefusal = answer.kind === "refused";
    return new MonitorError(
      isRefusal ? answer.message : "an answer out of turn",
      isRefusal ? answer.text : "",
    );
  }

  async #drainErrors(): Promise<void> {
    while ((await this.#child.stderr?.read()) != null);
  }

  #onExit(): void {
    this.close();
    this.#spared();
    this.#child.stderr?.close();
    // The last answer of a session may still be unread.
    if (!this.#hasSession) this.#child.stdout.close();
    closeSync(this.#fd);
  }
}

async function* answersOf(child: SpawnedChild): AsyncGenerator<MonitorAnswer> {
  const lines = createLines(ANSWER_BYTES_MAX);
  for (let data = await child.stdout.read(); data !== null; data = await child.stdout.read()) {
    for (const line of lines(data)) yield JSON.parse(line) as MonitorAnswer;
  }
}
