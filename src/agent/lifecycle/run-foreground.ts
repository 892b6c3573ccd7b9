/**
 * `qf agent up --foreground`: runs the agent in this process until it is told to stop.
 *
 * Under a service manager it reports readiness and liveness, and ends with its launcher. If the service is
 * only restarted, it releases the launcher and waits for its successor.
 *
 * @module
 */
import { isQfError } from "../../base/errors.ts";
import { compileHotCode } from "../../base/jit-policy.ts";
import { createLog, type Log, logLevelOf } from "../../base/log.ts";
import { notifySystemd, watchdogMs } from "../../base/sd-notify.ts";
import type { Environment } from "../contracts/flags.ts";
import type { Inherited } from "../contracts/inherited.ts";
import { releaseCodePages } from "../os/code-pages.ts";
import { createSshServer } from "../ssh-server/server.ts";
import type { Agent } from "./agent-parts.ts";
import { findLauncher, type Launcher } from "./launcher.ts";
import { proveLoginPath } from "./login-path.ts";
import { startAgent } from "./run.ts";

/** How often the launcher is checked. */
const LAUNCHER_MS = 1_000;
/** When an agent has settled after its start, and how often it releases code pages it no longer runs. */
const SETTLED_MS = 20_000;
const RELEASE_MS = 120_000;

/** Resolves when everything has stopped. Throws like `startAgent`. */
export async function runForeground(
  stateDir: string,
  environment: Environment,
  inherited?: Inherited,
): Promise<void> {
  const log = createLog(logLevelOf(environment));
  const running = new AgentProcess({ stateDir, environment, log, launcher: findLauncher(environment) });
  await running.start(inherited);
  await running.stopped;
}

interface ProcessOptions {
  readonly stateDir: string;
  readonly environment: Environment;
  readonly log: Log;
  /** Null: not started by a launcher. */
  readonly launcher: Launcher | null;
}

/** The agent of this process, and any that took back what a missing successor left. */
class AgentProcess {
  readonly #options: ProcessOptions;
  readonly #agents = new Set<Agent>();
  readonly #timers: NodeJS.Timeout[] = [];
  /** The service manager no longer tracks this process. */
  #isOnItsOwn = false;
  #resolveStopped: () => void = () => {};
  readonly stopped = new Promise<void>((resolve) => {
    this.#resolveStopped = resolve;
  });

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  async start(inherited?: Inherited): Promise<void> {
    const { environment, launcher } = this.#options;
    const agent = await this.#open(inherited);
    compileHotCode();
    this.#timers.push(setTimeout(releaseCodePages, SETTLED_MS), setInterval(releaseCodePages, RELEASE_MS));
    const onSignal = () => void this.#onSignal(agent);
    process.on("SIGTERM", onSignal).on("SIGINT", onSignal).on("SIGHUP", onSignal);
    if (launcher !== null) this.#timers.push(setInterval(() => this.#watchLauncher(launcher), LAUNCHER_MS));
    if (environment.NOTIFY_SOCKET) await this.#tellSystemd(agent);
  }

  async #open(inherited: Inherited | undefined): Promise<Agent> {
    const { stateDir, environment, log } = this.#options;
    const agent = await startAgent({
      stateDir,
      log,
      createSshServer,
      runtimeDir: environment.XDG_RUNTIME_DIR,
      onDeserted: (given) => void this.#takeBack(given),
      ...(inherited === undefined ? {} : { inherited }),
    });
    this.#agents.add(agent);
    void agent.stopped.then(() => this.#onStopped(agent));
    return agent;
  }

  #onStopped(agent: Agent): void {
    this.#agents.delete(agent);
    if (this.#agents.size > 0) return;
    for (const timer of this.#timers) clearInterval(timer);
    if (!this.#isAlone()) notifySystemd("STOPPING=1", this.#options.environment);
    this.#resolveStopped();
  }

  /** Whether another process is the service by now, so that this one must not report for it. */
  #isAlone(): boolean {
    return this.#isOnItsOwn || [...this.#agents].some((agent) => agent.succession.isFollowed);
  }

  async #takeBack(given: Inherited): Promise<void> {
    try {
      await this.#open(given);
    } catch (cause) {
      given.close();
      this.#options.log.warn("this agent could not take back what it gave up", {}, cause);
    }
  }

  #stopAll(): void {
    for (const agent of this.#agents) void agent.stop();
  }

  async #onSignal(agent: Agent): Promise<void> {
    const { launcher } = this.#options;
    const isAgain = this.#isOnItsOwn;
    if (launcher === null || isAgain || !(agent.succession.isExpecting || (await launcher.isRestarted()))) {
      this.#stopAll();
      return;
    }
    this.#isOnItsOwn = true;
    agent.succession.expect();
    launcher.letGo();
  }

  /** Without a launcher no signal arrives. Waits for a successor while the service is wanted. */
  #watchLauncher(launcher: Launcher): void {
    if (!launcher.isGone() || [...this.#agents].some((agent) => agent.succession.isFollowed)) return;
    this.#isOnItsOwn = true;
    for (const agent of this.#agents) agent.succession.expect();
    void launcher.isWanted().then((isWanted) => {
      if (!isWanted) this.#stopAll();
    });
  }

  async #tellSystemd(agent: Agent): Promise<void> {
    const { stateDir, environment, log } = this.#options;
    const aliveMs = watchdogMs(environment);
    const beat = () => {
      if (!this.#isAlone()) notifySystemd("WATCHDOG=1", environment);
    };
    if (aliveMs !== null) this.#timers.push(setInterval(beat, aliveMs));
    try {
      if (agent.status().sshServer.enabled) await proveLoginPath(stateDir);
      if (!this.#isAlone()) notifySystemd("READY=1", environment);
    } catch (error) {
      // READY=1 is not sent, so systemd tries again. Meanwhile management and `status` can be used.
      const reason = isQfError(error) ? { reason: error.message } : {};
      log.error("logins do not work on this machine", reason, error);
    }
  }
}
