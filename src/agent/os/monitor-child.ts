/**
 * A session's monitor in this executable, for systems where the session helper cannot run. Like sshd's, this
 * privileged process stays beside the session: it asks PAM, opens the session, starts the child that becomes
 * the user, records login and logout in utmp(5), and closes the session.
 *
 * PAM modules change the process that calls them (login id, keyring, namespaces, limits, groups), and the
 * child inherits that. A module that hangs or crashes affects only this session. No code of the user's runs
 * here.
 *
 * @module
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { receiveDescriptor } from "../../base/descriptors.ts";
import { createLines } from "./forward-helper-protocol.ts";
import { duplicate, initGroups, ownGroups, replaceDescriptor, setCloseOnExec } from "./libc.ts";
import type { LoginRecord } from "./login-records.ts";
import {
  MONITOR_SOCKET_FD,
  type MonitorAnswer,
  type MonitorOrder,
  type SessionOrder,
  type StartedAnswer,
} from "./monitor-orders.ts";
import { hasPam, openPam, PAM_SUCCESS, type PamTransaction } from "./pam.ts";
import { createFdReader } from "./pipes.ts";
import { readLimits, restoreLimits } from "./resource-limits.ts";
import { exitOf, startCommand } from "./spawn.ts";

/** sshd's umask, for modules and the session. */
const UMASK = 0o022;
/** Longest order, which holds a whole spec. */
const ORDER_BYTES_MAX = 2 * 1024 * 1024;

/** Serves the orders of one session until it ends or orders stop. Returns the exit status. */
export async function runMonitor(): Promise<number> {
  setCloseOnExec(MONITOR_SOCKET_FD);
  const answersFd = takeStandardDescriptors();
  const monitor = new Monitor((answer) => writeSync(answersFd.out, `${JSON.stringify(answer)}\n`));
  const reader = createFdReader(answersFd.in);
  const lines = createLines(ORDER_BYTES_MAX);
  // Load now, while there is nothing else to do.
  hasPam();
  readLimits();
  try {
    for (let data = await reader.read(); data !== null; data = await reader.read()) {
      for (const line of lines(data)) await monitor.take(JSON.parse(line) as MonitorOrder);
      if (monitor.session !== null) break;
    }
    // Even if the agent is gone by then, the session is closed.
    await monitor.watch();
  } finally {
    monitor.end();
  }
  return 0;
}

/** PAM modules may use stdin and stdout, so the agent's channel moves to other descriptors. */
function takeStandardDescriptors(): { in: number; out: number } {
  const found = { in: duplicate(0), out: duplicate(1) };
  const nothing = openSync("/dev/null", "r+");
  for (const fd of [0, 1, 2]) replaceDescriptor(nothing, fd);
  closeSync(nothing);
  return found;
}

class Monitor {
  readonly #tell: (answer: MonitorAnswer) => void;
  #pam: PamTransaction | null = null;
  #login: LoginRecord | null = null;
  session: { readonly child: Bun.Subprocess } | null = null;

  constructor(tell: (answer: MonitorAnswer) => void) {
    this.#tell = tell;
  }

  async take(order: MonitorOrder): Promise<void> {
    try {
      if (order.kind === "account") this.#checkAccount(order);
      else if (order.kind === "session") await this.#begin(order.session);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : "unknown";
      this.#tell({ kind: "refused", message, text: this.#pam?.takeText() ?? "" });
    }
  }

  /** Waits for the session to end. A child that gets no spec ends by itself. */
  async watch(): Promise<void> {
    const { session } = this;
    if (session === null) return;
    await session.child.exited;
    this.#endLogin();
    try {
      // As under sshd, the exit is reported before `end` has the modules close the session.
      this.#tell({ kind: "exited", exit: exitOf(session.child) });
    } catch {
      // The agent is gone.
    }
  }

  end(): void {
    this.#endLogin();
    this.#pam?.end();
    this.#pam = null;
  }

  #endLogin(): void {
    this.#login?.end();
    this.#login = null;
  }

  #checkAccount(order: { service: string; user: string; remoteHost: string }): void {
    const pam = this.#openPam(order);
    const code = pam.checkAccount();
    this.#tell({ kind: "account", code, text: pam.takeText() });
    // A denied account gets no session either.
    if (code !== PAM_SUCCESS) this.end();
  }

  #openPam({
    service,
    user,
    remoteHost,
  }: {
    service: string;
    user: string;
    remoteHost: string;
  }): PamTransaction {
    this.#pam ??= openPam({ service, user, remoteHost, terminal: "ssh" });
    return this.#pam;
  }

  async #begin(order: SessionOrder): Promise<void> {
    const { command, terminal, user, uid, remoteHost } = order;
    const fds = [0, 1, 2, 3].map(() => receiveDescriptor(MONITOR_SOCKET_FD));
    const stdio = fds.filter((fd) => fd !== null);
    try {
      if (stdio.length !== fds.length) throw new Error("a descriptor is missing");
      if (command === null) throw new Error("no command for the child");
      const prepared = order.hasModules ? this.#openSession(order) : NOTHING_CHANGED;
      const child = startCommand(stdio, command);
      if (terminal !== null) {
        // Loaded only for sessions with a terminal.
        const { noteLogin } = await import("./login-records.ts");
        this.#login = noteLogin({ user, uid, terminal, remoteHost, pid: child.pid });
      }
      this.session = { child };
      this.#tell({ kind: "started", pid: child.pid, ...prepared });
    } finally {
      for (const fd of stdio) closeSync(fd);
    }
  }

  /** Opens the PAM session and reports what modules changed in this process. */
  #openSession(order: SessionOrder): Omit<StartedAnswer, "kind" | "pid"> {
    const pam = this.#openPam(order);
    if (order.terminal !== null) pam.setTerminal(order.terminal);
    process.umask(UMASK);
    initGroups(order.user, order.gid);
    const before = readLimits();
    pam.openSession(order.isSilent);
    const limits = readLimits().filter((limit, at) => {
      const { soft, hard } = before[at] ?? limit;
      return limit.soft !== soft || limit.hard !== hard;
    });
    // The monitor keeps its own limits, because it must survive to close the session.
    restoreLimits(before.filter(({ resource }) => limits.some((limit) => limit.resource === resource)));
    return {
      text: pam.takeText(),
      words: [...pam.environment()].map(([name, value]) => `${name}=${value}`),
      groups: ownGroups(),
      umask: process.umask(UMASK),
      limits: limits.map(({ resource, soft, hard }) => [resource, String(soft), String(hard)]),
    };
  }
}

const NOTHING_CHANGED = { text: "", words: [], groups: [], umask: UMASK, limits: [] };
