/**
 * The start of a session, and a revocation that falls into it: at each of its waits, and while forwards of
 * the connection are still being closed. What has not begun by then never does; what has begun is ended.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { ServerChannel, Session } from "ssh2";
import type { Recorder, SessionRecording } from "../../../src/agent/contracts/recorder.ts";
import { createContainment } from "../../../src/agent/os/containment.ts";
import { openMonitor } from "../../../src/agent/os/monitor.ts";
import { lookUpAccount } from "../../../src/agent/os/users.ts";
import type { ConnectionContext } from "../../../src/agent/ssh-server/connection-context.ts";
import { recheck, revoke } from "../../../src/agent/ssh-server/revoke.ts";
import { SshSession } from "../../../src/agent/ssh-server/session.ts";
import { KernelContext } from "../../support/kernel-context.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { unpaired } from "../../support/paired-events.ts";
import { allFlags } from "../../support/policy.ts";
import { alivePids } from "../../support/processes.ts";
import { until } from "../../support/until.ts";

/** The waits of a start, in their order. */
const WAITS = [
  "the requests before it",
  "its account",
  "its evidence",
  "its recording",
  "the agent's socket",
  "its monitor",
  "PAM's session",
] as const;
type Wait = (typeof WAITS)[number] | "its containment";

describe.skipIf(!isRoot)("the start of a session", () => {
  let account: OsAccount;
  let start: TestStart;
  beforeEach(async () => {
    account = new OsAccount("sst");
    start = await TestStart.open(account);
  });
  afterEach(async () => {
    start.closeForwards.resolve();
    await until("no process of the account is left", () => alivePids(account).length === 0);
    account[Symbol.dispose]();
  });

  test("that nobody interrupts runs its program", async () => {
    start.exec(`touch ${start.trace}`);
    await until("it has ended", () => start.exitStatus !== undefined);
    expect({ status: start.exitStatus, ran: existsSync(start.trace) }).toEqual({ status: 0, ran: true });
    await start.isPaired();
  });

  test.each(WAITS)("runs nothing once it is revoked while it waits for %s", async (wait) => {
    start.at(wait, () => start.revoke());
    start.exec(`touch ${start.trace}`);
    await until("it is revoked", () => start.world.state.is("ending"));
    // The forwards of the connection are not closed yet, and the session has nothing more to wait for.
    await start.givenUp();
    expect(existsSync(start.trace)).toBe(false);
    start.closeForwards.resolve();
    await start.world.revoked;
    expect(existsSync(start.trace)).toBe(false);
    await start.isPaired();
  });

  test.each(["its account", "its recording", "the agent's socket", "its monitor"] as const)(
    "opens no session of PAM once it is revoked while it waits for %s",
    async (wait) => {
      start.at(wait, () => start.revoke());
      start.exec("true");
      await start.givenUp();
      expect(start.passed).not.toContain("PAM's session");
    },
  );

  test("that is revoked the moment its program begins ends the program", async () => {
    start.at("its containment", () => start.revoke());
    start.exec("trap '' TERM HUP; sleep 50 & sleep 50");
    await until("it is revoked", () => start.world.state.is("ending"));
    start.closeForwards.resolve();
    await start.world.revoked;
    await start.givenUp();
    await until("nothing is left", () => alivePids(account).length === 0);
    await start.isPaired();
  });

  test("runs nothing when its grant comes to want a recording while it waits for one that it need not have", async () => {
    start.at("its recording", () => start.world.allow({ record: "required" }));
    start.world.allow({ record: "best_effort" });
    start.exec(`touch ${start.trace}`);
    await until("it is revoked", () => start.world.state.is("ending"));
    expect(start.world.state.endReason).toBe("recording_unavailable");
    await start.givenUp();
    expect(existsSync(start.trace)).toBe(false);
  });

  test("changes no file when its grant comes to allow reading only while it waits for its recording", async () => {
    start.at("its recording", () => start.world.allow({ record: "required", sftp: "read" }));
    start.world.allow({ record: "required", sftp: "write" });
    start.recorder = { ...start.recorder, open: () => start.pass("its recording", required()) };
    start.session.emit("subsystem", () => start.channel, null, { name: "sftp" });
    await until("it is revoked", () => start.world.state.is("ending"));
    expect(start.world.state.endReason).toBe("sftp_read_only");
    await start.givenUp();
    expect(start.passed).not.toContain("its monitor");
  });

  test.each<[what: string, ask: (start: TestStart, accept: () => void, reject: () => void) => void]>([
    [
      "terminal",
      ({ session }, ...answers) => session.emit("pty", ...answers, { term: "xterm", cols: 80, rows: 24 }),
    ],
    [
      "variable",
      ({ session }, ...answers) => session.emit("env", ...answers, { key: "LANG", val: "C.UTF-8" }),
    ],
    ["agent", ({ session }, ...answers) => session.emit("auth-agent", ...answers)],
  ])("takes no %s after it was asked for, as with sshd", async (_what, ask) => {
    const answers: string[] = [];
    start.at("its account", () =>
      ask(
        start,
        () => answers.push("accepted"),
        () => answers.push("refused"),
      ),
    );
    start.world.allow({ agent_forwarding: true, record: "best_effort" });
    start.exec(`tty; echo "[$LANG$SSH_AUTH_SOCK]"`);
    await until("it has ended", () => start.exitStatus !== undefined);
    expect(answers).toEqual(["refused"]);
    expect(start.output).toBe("not a tty\n[]\n");
  });
});

/** One session, on a connection that is played, with its account, processes and monitor real. */
class TestStart {
  readonly world: KernelContext;
  readonly session = new EventEmitter() as EventEmitter & Session;
  readonly channel: ServerChannel;
  readonly trace: string;
  /** Closes the forwards of the connection. */
  readonly closeForwards = Promise.withResolvers<void>();
  readonly passed: Wait[] = [];
  recorder: Recorder = {
    encrypts: () => false,
    open: () => this.pass("its recording", null),
  } as never;
  exitStatus: number | undefined;
  output = "";
  #isGivenUp = false;
  readonly #interruptions = new Map<Wait, () => void>();

  static async open(account: OsAccount): Promise<TestStart> {
    const found = await lookUpAccount(account.name, Math.floor(Date.now() / 1000));
    if (found === null) throw new Error("there is no such account");
    return new TestStart(account, found.uid);
  }

  private constructor(account: OsAccount, localUid: number) {
    const localUser = account.name;
    this.trace = join(account.home, "trace");
    this.world = new KernelContext({ localUser, localUid }).open();
    const containment = createContainment(null, this.world.id);
    Object.assign(this.world, {
      containment,
      closeForwards: () => this.closeForwards.promise,
    });
    this.world.flags = allFlags;
    this.world.allow({ agent_forwarding: true, record: "best_effort" });
    const channel = new PassThrough();
    this.channel = Object.assign(channel, {
      eof() {},
      close: () => {
        this.#isGivenUp = true;
      },
    }) as never;
    const { evidence, isOver } = this.world.permits;
    this.world.permits.isOver = () => {
      this.#isGivenUp ||= isOver();
      return isOver();
    };
    const store = evidence.store.bind(evidence);
    evidence.store = async (...events) => {
      await this.pass("its evidence");
      return store(...events);
    };
    this.session.setMaxListeners(0);
    Object.assign(this.session, { _chanInfo: { incoming: { id: 0 } } });
    const { permits, origin, log, clock } = this.world;
    const context: Partial<ConnectionContext> = {
      ...{ connectionId: this.world.id, auth: { ...this.world.subject } as never },
      ...{ origin, permits, containment, log, drop: true, recorder: null },
      clock: {
        monotonicMs: () => clock.monotonicMs(),
        nowMs: () => {
          void this.pass("its account");
          return Date.now();
        },
      },
      transport: this.#transport() as never,
      agentSocket: async () => {
        await until(
          "the session waits for it",
          () => this.#isGivenUp || this.passed.includes("its recording"),
        );
        return this.pass("the agent's socket", null);
      },
      requestsAnswered: () => this.pass("the requests before it"),
      takeNotices: () => [],
      monitor: () => this.#monitor(),
      recheck: () => recheck(this.world),
      onRequiredRecording() {},
      onSessionClosed() {},
    };
    Object.defineProperty(context, "recorder", { get: () => this.recorder });
    new SshSession(context as ConnectionContext, this.session, 0);
  }

  /** Does `what` once the start comes to `wait`. */
  at(wait: Wait, what: () => void): void {
    this.#interruptions.set(wait, what);
  }

  exec(command: string): void {
    this.session.emit("auth-agent");
    this.session.emit("exec", () => this.channel, null, { command });
  }

  /** It has ended, or has found that nothing may begin any more. */
  async givenUp(): Promise<void> {
    await until("the start is given up", () => this.#isGivenUp);
  }

  async isPaired(): Promise<void> {
    await until("every start has its end", () => unpaired(this.world.events).length === 0);
  }

  revoke(): void {
    void revoke(this.world, "session_killed");
  }

  async pass<T = void>(wait: Wait, answer?: T): Promise<T> {
    if (!this.passed.includes(wait)) {
      this.passed.push(wait);
      this.#interruptions.get(wait)?.();
    }
    await new Promise((resolve) => setImmediate(resolve));
    return answer as T;
  }

  #transport(): Partial<ConnectionContext["transport"]> {
    return {
      tryWriteChannel: () => true,
      writeNow: (_id: number, _kind: string, data: Uint8Array) => {
        this.output += Buffer.from(data).toString();
        return data.length;
      },
      writeChannel: async () => true,
      sendExitStatus: (_id: number, status: number) => {
        this.exitStatus = status;
      },
      sendExitSignal() {},
      muteChannel() {},
    } as never;
  }

  /** A real one, which is held up in its start. */
  async #monitor(): Promise<Awaited<ReturnType<ConnectionContext["monitor"]>>> {
    await this.pass("its monitor");
    const monitor = await openMonitor();
    const launchFor = monitor.launchFor.bind(monitor);
    monitor.launchFor = (setting) => async (request, stdio) => {
      const contain = async (pid: number): Promise<void> => {
        await this.pass("PAM's session");
        await request.contain(pid);
        await this.pass("its containment");
      };
      return launchFor(setting)({ ...request, contain }, stdio);
    };
    return monitor;
  }
}

/** A recording that keeps nothing. */
function required(): SessionRecording {
  return {
    ...{ id: "r", isRequired: true, hasFailed: false, failed: new Promise(() => {}) },
    facts: { hasAllInput: false, isKeptHere: false, isEncrypted: false, otherKeysSinceSeconds: null },
    ...{ attach() {}, output: () => null, input: () => null, typed() {}, resize() {}, end: async () => {} },
  };
}
