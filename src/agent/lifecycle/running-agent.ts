/**
 * A running agent: starts its parts in order, connects them, and stops them in order.
 *
 * Its parts are the map (`map-holder.ts`), the link to management (`sync-client.ts`), the SSH server
 * (`server-context.ts`), the listeners (`listeners.ts`), the control socket, and the spool with the evidence
 * of everything. It decides nothing. Read `start`, then `#stop`: parts that stop late may be needed by those
 * that stop earlier. When a successor takes over (`../handover/`), only the SSH server stays.
 *
 * @module
 */
import { ownUserName } from "../../base/own-user.ts";
import { newId } from "../../base/random.ts";
import type { AgentFlagsStored, Enrolled } from "../../wire/agent-state-file.ts";
import type { LiveSession } from "../../wire/agent-sync.ts";
import type { AgentStatus } from "../../wire/control.ts";
import { createFailureCount } from "../contracts/failure-count.ts";
import { type FlagChange, reportedFlags } from "../contracts/flags.ts";
import { agentPenalties, type Penalties } from "../contracts/penalties.ts";
import type { Recorder } from "../contracts/recorder.ts";
import type { ServerContext, SshServer } from "../contracts/server-context.ts";
import { noticeOf } from "../control-link/log-alarms.ts";
import { createMapHolder, type MapHolder, staleness } from "../control-link/map-holder.ts";
import { createPinnedKeys, type PinnedKeys } from "../control-link/pinned-keys.ts";
import type { SyncClient } from "../control-link/sync-client.ts";
import { controlSocketPath, prepareControlFolder } from "../control-socket/control-path.ts";
import { openControlServer } from "../control-socket/control-server.ts";
import { createSwitchableSink, type SwitchableSink } from "../handover/remote-sink.ts";
import { Succession } from "../handover/succession.ts";
import { createLocalPrograms } from "../intercept/local-programs.ts";
import type { Listeners } from "../listeners/listeners.ts";
import { createPeerPaths, type PeerPaths } from "../listeners/peer-paths.ts";
import { openStdioListener } from "../listeners/stdio-listener.ts";
import { readLastMap, writePublicClient } from "../state/state.ts";
import { createServerContext } from "./agent-context.ts";
import type { Agent, AgentParts, StartAgentOptions } from "./agent-parts.ts";
import { connectManagement, type ListenersParts, openListeners, statusOf } from "./agent-wiring.ts";
import { controlledOf } from "./controlled.ts";
import { LiveFlags } from "./live-flags.ts";
import { openRecorder } from "./open-recorder.ts";
import { type MadeParts, stopAgent } from "./stop-agent.ts";
import { watchMachine } from "./watch.ts";

export class RunningAgent implements Agent {
  readonly #options: StartAgentOptions;
  readonly #parts: AgentParts;
  readonly #bootId: string;
  readonly #privileged = process.geteuid?.() === 0;
  readonly #ownUser = ownUserName();
  readonly #controlSocket: string;
  readonly #sink: SwitchableSink;
  readonly #pinnedKeys: PinnedKeys;
  readonly #penalties: Penalties;
  readonly #flags: LiveFlags;
  readonly #enrolled: Enrolled;
  #state: AgentStatus["state"] = "starting";
  readonly #paths: PeerPaths = createPeerPaths();
  readonly #made: MadeParts = {};
  readonly succession: Succession;
  #problem: string | null = null;
  #stopping: Promise<void> | null = null;
  #resolveStopped: () => void = () => {};
  readonly stopped: Promise<void>;

  constructor(options: StartAgentOptions, parts: AgentParts, flags: AgentFlagsStored, enrolled: Enrolled) {
    this.#options = options;
    this.#parts = parts;
    this.#enrolled = enrolled;
    this.#bootId = options.inherited?.bootId ?? newId();
    this.#sink = createSwitchableSink(parts.spool);
    this.#pinnedKeys = createPinnedKeys({ clock: parts.clock, log: options.log });
    this.#flags = this.#liveFlags(flags);
    this.#penalties = agentPenalties({ clock: parts.clock, log: options.log, flags: () => this.#flags.now });
    this.#controlSocket = controlSocketPath(parts.paths, {
      uid: process.geteuid?.() ?? 0,
      runtimeDir: options.runtimeDir,
    });
    this.succession = this.#createSuccession();
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
  }

  async start(): Promise<void> {
    const { paths, keys, clock, spool, lock } = this.#parts;
    const { log } = this.#options;
    const last = await readLastMap(paths);
    if (last.damage !== null) {
      await spool.record({ type: "agent.state", what: "state_damaged", detail: last.damage.slice(0, 512) });
    }
    await spool.record({ type: "agent.state", what: "started", detail: `boot ${this.#bootId}` });
    const maps = createMapHolder({ paths, clock, log, enrolled: this.#enrolled, last });
    this.#made.maps = maps;
    this.#made.failures = createFailureCount({ audit: this.#sink, log });
    const recorder = openRecorder(this.#parts, { log, enrolled: this.#enrolled, maps }, this.#flags);
    this.#made.recorder = recorder;
    const ssh = this.#options.createSshServer(this.#serverContext(maps, recorder));
    this.#made.ssh = ssh;
    maps.onChange(() => ssh.recheck());
    const hadPredecessor =
      last.stored !== undefined || last.confirmation !== undefined || last.damage !== null;
    const listeners = this.#createListeners({ maps, ssh, failures: this.#made.failures, hadPredecessor });
    this.#made.listeners = listeners;
    await listeners.listen(this.#flags.now, this.#flags.now);
    await prepareControlFolder(paths, this.#controlSocket);
    const control = await openControlServer(
      this.#controlSocket,
      controlledOf(this, this.#enrolled, { ...this.#parts, log }),
    );
    this.#made.control = control;
    const isSshOn = () => this.#flags.now.sshServer;
    const stdio = await openStdioListener(this.#controlSocket, { ssh, isSshOn });
    this.#made.stdio = stdio;
    await this.#writePublic();
    const sync = this.#connect(maps, ssh);
    this.#made.sync = sync;
    const watch = watchMachine({
      staleness: () => staleness(maps),
      addresses: () => this.#directAddresses(),
      onStaleness: () => ssh.recheck(),
      onAddresses: () => sync.reportFlags(),
    });
    this.#made.watch = watch;
    const asking = { enrolled: this.#enrolled, deviceKey: keys.deviceKey, clock };
    const programs = createLocalPrograms(asking, { log, privileged: this.#privileged });
    this.#made.programs = programs;
    void programs.follow(this.#flags.now);
    await this.succession.serve({
      ...{ listeners, ssh, maps, control, stdio, sync, watch, programs, spool, lock, sink: this.#sink },
      bootId: this.#bootId,
      onFlags: (flags) => this.#flags.use(flags),
    });
    this.#options.inherited?.close();
    this.#state = "running";
    log.info("agent started", { peerId: this.#enrolled.peerId, name: this.#enrolled.name });
  }

  #createListeners(parts: ListenersParts): Listeners {
    return openListeners({
      ...parts,
      agent: this.#parts,
      options: this.#options,
      enrolled: this.#enrolled,
      penalties: this.#penalties,
      paths: this.#paths,
      isServing: () => this.#flags.now.sshServer,
      isManagementUp: () => this.#made.sync?.state().connected ?? false,
      succession: this.succession,
    });
  }

  /** Sessions of this agent and of earlier ones. */
  #sessions(): LiveSession[] {
    return [...(this.#made.ssh?.sessions() ?? []), ...this.succession.sessions()];
  }

  #createSuccession(): Succession {
    const { clock } = this.#parts;
    const { log, onDeserted, servesMsMax } = this.#options;
    return new Succession({
      ...{ clock, log, onDeserted, servesMsMax },
      controlSocket: this.#controlSocket,
      flags: () => this.#flags.now,
      settle: async () => {
        await this.#flags.settled();
        if (this.#stopping !== null) return false;
        this.#state = "stopping";
        return true;
      },
      onEnded: () => void this.#onDrained(),
    });
  }

  status(): AgentStatus {
    return statusOf({
      state: this.#state,
      enrolled: this.#enrolled,
      flags: this.#flags.now,
      privileged: this.#privileged,
      ...this.#made,
      sessions: this.#sessions(),
      spool: this.#parts.spool.state(),
      paths: this.#paths,
      problem: this.#problem,
      programProblems: this.#made.programs?.problems ?? [],
      alarms: this.#parts.witness.log.alarms,
    });
  }

  apply(change: FlagChange): Promise<void> {
    return this.#flags.apply(change);
  }

  #liveFlags(flags: AgentFlagsStored): LiveFlags {
    return new LiveFlags(flags, {
      parts: this.#parts,
      enrolled: this.#enrolled,
      log: this.#options.log,
      pinnedKeys: this.#pinnedKeys,
      isOver: () => this.#stopping !== null || this.succession.isLeaving,
      listen: async (wanted, before) => await this.#made.listeners?.listen(wanted, before),
      onUsed: () => this.#made.ssh?.recheck(),
      onRepeated: async (flags) => await this.#made.programs?.follow(flags),
      onChanged: (flags) => {
        if (!flags.sshServer) this.#made.listeners?.pings.close();
        this.succession.flagsChanged();
        this.#made.sync?.reportFlags();
        void this.#made.programs?.follow(flags);
      },
      onStored: () => this.#writePublic(),
    });
  }

  #writePublic(): Promise<void> {
    const running = { controlSocket: this.#controlSocket, bootId: this.#bootId };
    return writePublicClient(this.#parts.paths, this.#flags.now, running);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#state = "stopping";
    if (this.succession.isLeaving) {
      await this.succession.end();
      return;
    }
    this.#pinnedKeys.close();
    await stopAgent({
      ...this.#made,
      parts: this.#parts,
      succession: this.succession,
      bootId: this.#bootId,
      log: this.#options.log,
      flags: this.#flags.now,
    });
    this.#resolveStopped();
  }

  /** Everything served since a successor took over has ended. */
  async #onDrained(): Promise<void> {
    this.#pinnedKeys.close();
    this.#made.listeners?.relay.close();
    await this.#made.failures?.close();
    await this.#made.recorder?.close();
    this.#resolveStopped();
  }

  #connect(maps: MapHolder, ssh: SshServer): SyncClient {
    return connectManagement({
      options: this.#options,
      parts: this.#parts,
      enrolled: this.#enrolled,
      bootId: this.#bootId,
      maps,
      reportedFlags: () =>
        reportedFlags(this.#flags.now, { privileged: this.#privileged, ownUser: this.#ownUser }),
      direct: () => this.#directAddresses(),
      sessions: () => this.#sessions(),
      approvals: this.succession.shared.link,
      kill: (connectionId, reason) => {
        if (!ssh.kill(connectionId, reason)) this.succession.kill(connectionId, reason);
      },
      onReady: () => {
        this.#made.listeners?.relay.retryNow();
        void this.#made.programs?.refresh();
      },
      onMoved: (move) => this.#flags.followMove(move),
      onGone: (message) => {
        this.#problem = message;
        this.#made.listeners?.relay.close();
        void maps.clear();
      },
    });
  }

  #directAddresses(): string[] {
    return this.#made.listeners?.advertisedAddresses(this.#flags.now) ?? [];
  }

  #serverContext(maps: MapHolder, recorder: Recorder): ServerContext {
    const { clock, keys } = this.#parts;
    return createServerContext({
      clock,
      log: this.#options.log,
      audit: this.#sink,
      hostKeys: keys.hostKeys,
      maps,
      approvals: this.succession.approvals,
      pinnedKeys: this.#pinnedKeys,
      penalties: this.#penalties,
      recorder,
      ...{ privileged: this.#privileged, ownUser: this.#ownUser },
      flags: () => this.#flags.now,
      sync: () => this.#made.sync,
      notice: () => noticeOf(this.#parts.witness.log.alarms),
    });
  }
}
