/**
 * A session's monitor: the privileged process that stays behind, as sshd's does. It asks PAM, opens the
 * session, starts the child that becomes the user, notes both ends of it in utmp(5), and closes it.
 *
 * PAM modules change the process that calls them (login id, keyring, namespaces, limits, groups); what
 * they changed is what the child inherits. A module that hangs or crashes takes this one session with it.
 * Nothing of the user's runs here.
 *
 * @module
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { receiveDescriptor } from "../../base/descriptors.ts";
import type { ChildSpec } from "./child-spec.ts";
import { createLines } from "./forward-helper-protocol.ts";
import { greetingOf } from "./greeting.ts";
import { duplicate, initGroups, ownGroups, replaceDescriptor, setCloseOnExec } from "./libc.ts";
import type { LoginRecord } from "./login-records.ts";
import {
  MONITOR_SOCKET_FD,
  type MonitorAnswer,
  type MonitorOrder,
  type SessionOrder,
} from "./monitor-orders.ts";
import { hasPam, openPam, PAM_SUCCESS, type PamTransaction, pamService } from "./pam.ts";
import { createFdReader, type FdWriter, openInputPipe } from "./pipes.ts";
import { readLimits, restoreLimits } from "./resource-limits.ts";
import { type Exit, exitOf, startOwn } from "./spawn.ts";

/** sshd's, for modules and for the session. */
const UMASK = 0o022;
/** An order holds a whole spec. */
const ORDER_BYTES_MAX = 2 * 1024 * 1024;

/** Serves one session's orders until it has ended, or there are none. Returns the exit status. */
export async function runMonitor(): Promise<number> {
  setCloseOnExec(MONITOR_SOCKET_FD);
  const answersFd = takeStandardDescriptors();
  const monitor = new Monitor((answer) => writeSync(answersFd.out, `${JSON.stringify(answer)}\n`));
  const reader = createFdReader(answersFd.in);
  const lines = createLines(ORDER_BYTES_MAX);
  // Loaded while there is nothing to do yet.
  hasPam();
  readLimits();
  try {
    for (let data = await reader.read(); data !== null; data = await reader.read()) {
      for (const line of lines(data)) await monitor.take(JSON.parse(line) as MonitorOrder);
      if (monitor.session !== null) break;
    }
    // The agent may be gone by then; the session is closed all the same.
    if (monitor.session !== null) await monitor.watch(reader.read());
  } finally {
    monitor.end();
  }
  return 0;
}

/** Modules may read and print: what is said to the agent goes another way than their stdin and stdout. */
function takeStandardDescriptors(): { in: number; out: number } {
  const found = { in: duplicate(0), out: duplicate(1) };
  const nothing = openSync("/dev/null", "r+");
  for (const fd of [0, 1, 2]) replaceDescriptor(nothing, fd);
  closeSync(nothing);
  return found;
}

interface Session {
  readonly child: Bun.Subprocess;
  readonly orders: FdWriter;
  readonly spec: ChildSpec;
}

class Monitor {
  readonly #tell: (answer: MonitorAnswer) => void;
  #pam: PamTransaction | null = null;
  #login: LoginRecord | null = null;
  /** What modules said of an account that may be used: that a password ends soon, say. */
  #notice = "";
  session: Session | null = null;

  constructor(tell: (answer: MonitorAnswer) => void) {
    this.#tell = tell;
  }

  async take(order: MonitorOrder): Promise<void> {
    try {
      if (order.kind === "account") this.#checkAccount(order.user, order.remoteHost);
      else if (order.kind === "session") await this.#begin(order.session);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : "unknown";
      this.#tell({ kind: "refused", message, text: this.#pam?.takeText() ?? "" });
    }
  }

  /** Waits for the word to go, then for the end. Without the word nothing of the user's ever ran. */
  async watch(go: Promise<Uint8Array | null>): Promise<void> {
    const { session } = this;
    if (session === null) return;
    const isHeld = (await go) !== null;
    if (isHeld) await session.orders.write(Buffer.from(JSON.stringify(session.spec)))?.catch(() => {});
    else session.child.kill("SIGKILL");
    session.orders.close();
    await session.child.exited;
    const exit: Exit = exitOf(session.child);
    this.#endLogin();
    try {
      // As from sshd, nobody waits for modules to close the session; `end` has them do it.
      this.#tell({ kind: "exited", exit });
    } catch {
      // Nobody is left to hear it.
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

  #checkAccount(user: string, remoteHost: string): void {
    const pam = this.#openPam(user, remoteHost);
    const code = pam.checkAccount();
    this.#notice = pam.takeText();
    this.#tell({ kind: "account", code, text: this.#notice });
    // Who may not come in has no session here either.
    if (code !== PAM_SUCCESS) this.end();
  }

  #openPam(user: string, remoteHost: string): PamTransaction {
    this.#pam ??= openPam({ service: pamService(), user, remoteHost, terminal: "ssh" });
    return this.#pam;
  }

  async #begin(order: SessionOrder): Promise<void> {
    const fds = [0, 1, 2].map(() => receiveDescriptor(MONITOR_SOCKET_FD));
    const stdio = fds.filter((fd) => fd !== null);
    try {
      if (stdio.length !== fds.length) throw new Error("a descriptor is missing");
      const prepared = hasPam() ? this.#openSession(order) : { text: "", spec: order.spec };
      const { child, orders } = startHeld(stdio, order.spec);
      if (order.terminal !== null) {
        const { user, uid } = order.spec;
        const { terminal, remoteHost } = order;
        // Not loaded for what has no terminal.
        const { noteLogin } = await import("./login-records.ts");
        this.#login = noteLogin({ user, uid, terminal, remoteHost, pid: child.pid });
      }
      const greeting = order.isInteractive
        ? greetingOf(`${this.#notice}${prepared.text}`, this.#login?.last ?? null)
        : "";
      this.session = { child, orders, spec: { ...prepared.spec, greeting } };
      this.#tell({ kind: "started", pid: child.pid });
    } finally {
      for (const fd of stdio) closeSync(fd);
    }
  }

  /** Opens it, and gives the child what modules changed in this process. */
  #openSession({ spec, remoteHost, terminal }: SessionOrder): { text: string; spec: ChildSpec } {
    const pam = this.#openPam(spec.user, remoteHost);
    if (terminal !== null) pam.setTerminal(terminal);
    process.umask(UMASK);
    initGroups(spec.user, spec.gid);
    const before = readLimits();
    pam.openSession();
    const limits = readLimits().filter((limit, at) => {
      const { soft, hard } = before[at] ?? limit;
      return limit.soft !== soft || limit.hard !== hard;
    });
    // The user's limits are not the monitor's: it has to live to close the session.
    restoreLimits(before.filter(({ resource }) => limits.some((limit) => limit.resource === resource)));
    return {
      text: pam.takeText(),
      spec: {
        ...spec,
        env: mergeEnvironment(spec.env, pam.environment()),
        groups: ownGroups(),
        umask: process.umask(UMASK),
        limits: limits.map(({ resource, soft, hard }) => [resource, String(soft), String(hard)]),
      },
    };
  }
}

/** Never from PAM: what decides what runs before the shell, and what says whose session this is. */
const OWN_NAMES = /^(?:LD_|DYLD_|BUN_|NODE_|QF_|SSH_|(?:USER|LOGNAME|HOME|SHELL|TERM|IFS)$)/;

/** As from sshd, PAM has the last word on what is not about the connection. */
export function mergeEnvironment(
  session: Readonly<Record<string, string>>,
  pam: ReadonlyMap<string, string>,
): Record<string, string> {
  const taken = [...pam].filter(([name]) => !OWN_NAMES.test(name));
  return { ...session, ...Object.fromEntries(taken) };
}

/** The child, which waits for its spec. */
function startHeld(stdio: readonly number[], spec: ChildSpec): { child: Bun.Subprocess; orders: FdWriter } {
  const orders = openInputPipe();
  try {
    return { child: startOwn([...stdio, orders.childFd], spec), orders: orders.writer };
  } catch (cause) {
    orders.writer.close();
    throw cause;
  } finally {
    closeSync(orders.childFd);
  }
}
