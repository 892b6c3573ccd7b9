/**
 * A running agent: starts its parts in order, wires them to each other, and stops them in order.
 *
 * The map (`map-holder.ts`), the link to management (`sync-client.ts`), the SSH server (`server-context.ts`),
 * the streams that come to it (`listeners.ts`), the control socket, and the spool, which holds evidence of
 * all of it. Decides nothing. Read `start`, then `#stop`: what is stopped late may still be needed by what
 * stops before.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import { ownUserName } from "../../base/own-user.ts";
import { newId } from "../../base/random.ts";
import type { AgentFlagsStored, Enrolled } from "../../wire/agent-state-file.ts";
import type { AgentStatus } from "../../wire/control.ts";
import { createFailureCount, type FailureCount } from "../contracts/failure-count.ts";
import { type FlagChange, liveFlags, reportedFlags } from "../contracts/flags.ts";
import { agentPenalties, type Penalties } from "../contracts/penalties.ts";
import type { ServerContext, SshServer } from "../contracts/server-context.ts";
import { type ApprovalLink, createApprovals } from "../control-link/approvals.ts";
import { lastUpload } from "../control-link/audit-upload.ts";
import { noticeOf } from "../control-link/log-alarms.ts";
import { createMapHolder, type MapHolder, staleness } from "../control-link/map-holder.ts";
import { createPinnedKeys, type PinnedKeys } from "../control-link/pinned-keys.ts";
import { createSyncClient, type SyncClient } from "../control-link/sync-client.ts";
import { controlSocketPath, prepareControlFolder } from "../control-socket/control-path.ts";
import { type ControlServer, openControlServer } from "../control-socket/control-server.ts";
import { createLocalPrograms, type LocalPrograms } from "../intercept/local-programs.ts";
import { createListeners, type Listeners } from "../listeners/listeners.ts";
import { createPeerPaths, type PeerPaths } from "../listeners/peer-paths.ts";
import { pingAnswer } from "../listeners/pings.ts";
import { NOTHING_REFUSED } from "../listeners/refusals.ts";
import { openStdioListener, type StdioListener } from "../listeners/stdio-listener.ts";
import { type AgentKeys, readLastMap, writeAgentFile, writePublicClient } from "../state/state.ts";
import { buildStatus } from "../status/status-report.ts";
import { createServerContext } from "./agent-context.ts";
import type { Agent, AgentParts, StartAgentOptions } from "./agent-parts.ts";
import { controlledOf } from "./controlled.ts";
import { machineFacts } from "./facts.ts";
import { stopPart } from "./stop-part.ts";
import { watchMachine } from "./watch.ts";

export class RunningAgent implements Agent {
  readonly #options: StartAgentOptions;
  readonly #parts: AgentParts;
  readonly #bootId = newId();
  readonly #privileged = process.geteuid?.() === 0;
  readonly #ownUser = ownUserName();
  readonly #controlSocket: string;
  readonly #approvals: ApprovalLink = createApprovals();
  readonly #pinnedKeys: PinnedKeys;
  readonly #penalties: Penalties;
  #flags: AgentFlagsStored;
  readonly #enrolled: Enrolled;
  #state: AgentStatus["state"] = "starting";
  #maps: MapHolder | undefined;
  #ssh: SshServer | undefined;
  #listeners: Listeners | undefined;
  readonly #paths: PeerPaths = createPeerPaths();
  #failures: FailureCount | undefined;
  #control: ControlServer | undefined;
  #stdio: StdioListener | undefined;
  #sync: SyncClient | undefined;
  #watch: { stop(): void } | undefined;
  #programs: LocalPrograms | undefined;
  #problem: string | null = null;
  #stopping: Promise<void> | null = null;
  /** Settles after the last change of flags: they are applied one after the other. */
  #applying: Promise<void> = Promise.resolve();
  #resolveStopped: () => void = () => {};
  readonly stopped: Promise<void>;

  constructor(options: StartAgentOptions, parts: AgentParts, flags: AgentFlagsStored, enrolled: Enrolled) {
    this.#options = options;
    this.#parts = parts;
    this.#flags = flags;
    this.#enrolled = enrolled;
    this.#pinnedKeys = createPinnedKeys({ clock: parts.clock, log: options.log });
    this.#penalties = agentPenalties({ clock: parts.clock, log: options.log, flags: () => this.#flags });
    this.#followPinned();
    this.#controlSocket = controlSocketPath(parts.paths, {
      uid: process.geteuid?.() ?? 0,
      runtimeDir: options.runtimeDir,
    });
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
  }

  async start(): Promise<void> {
    const { paths, keys, clock, spool } = this.#parts;
    const { log } = this.#options;
    const last = await readLastMap(paths);
    if (last.damage !== null) {
      await spool.record({ type: "agent.state", what: "state_damaged", detail: last.damage.slice(0, 512) });
    }
    await spool.record({ type: "agent.state", what: "started", detail: `boot ${this.#bootId}` });
    const maps = createMapHolder({ paths, clock, log, enrolled: this.#enrolled, last });
    this.#maps = maps;
    this.#failures = createFailureCount({ audit: spool, log });
    const ssh = this.#options.createSshServer(this.#serverContext(maps));
    this.#ssh = ssh;
    maps.onChange(() => ssh.recheck());
    this.#listeners = createListeners({
      clock,
      log,
      enrolled: this.#enrolled,
      deviceKey: keys.deviceKey,
      maps,
      ssh,
      failures: this.#failures,
      penalties: this.#penalties,
      paths: this.#paths,
      witness: this.#parts.witness.log,
      hadPredecessor: last.stored !== undefined || last.confirmation !== undefined || last.damage !== null,
      isManagementUp: () => this.#sync?.state().connected ?? false,
      answerPing: () =>
        pingAnswer({
          clock,
          maps,
          connected: this.#sync?.state().connected ?? false,
          isServing: this.#flags.sshServer,
        }),
    });
    await this.#listeners.listen(this.#flags, this.#flags);
    await prepareControlFolder(paths, this.#controlSocket);
    const controlled = controlledOf(this, this.#enrolled, { ...this.#parts, log });
    this.#control = await openControlServer(this.#controlSocket, controlled);
    const isSshOn = () => this.#flags.sshServer;
    this.#stdio = await openStdioListener(this.#controlSocket, { ssh, isSshOn });
    await this.#writePublic();
    this.#sync = this.#connect(maps, ssh, keys);
    this.#watch = watchMachine({
      staleness: () => staleness(maps),
      addresses: () => this.#directAddresses(),
      onStaleness: () => ssh.recheck(),
      onAddresses: () => this.#sync?.reportFlags(),
    });
    const asking = { enrolled: this.#enrolled, deviceKey: keys.deviceKey, clock };
    this.#programs = createLocalPrograms(asking, { log, privileged: this.#privileged });
    void this.#programs.follow(this.#flags);
    this.#state = "running";
    log.info("agent started", { peerId: this.#enrolled.peerId, name: this.#enrolled.name });
  }

  status(): AgentStatus {
    return buildStatus({
      state: this.#state,
      enrolled: this.#enrolled,
      flags: this.#flags,
      privileged: this.#privileged,
      map: this.#maps?.snapshot()?.map ?? null,
      mapAgeSeconds: this.#maps?.ageSeconds() ?? Number.POSITIVE_INFINITY,
      sync: this.#sync?.state() ?? null,
      listening: this.#listeners?.listener.addresses() ?? [],
      plainListening: this.#listeners?.plain.addresses() ?? [],
      relay: this.#listeners?.relay.state() ?? { connected: false, streams: 0 },
      refused: this.#listeners?.refused() ?? NOTHING_REFUSED,
      sessions: this.#ssh?.sessions() ?? [],
      advertised: this.#directAddresses(),
      spool: this.#parts.spool.state(),
      pathOf: (peerId) => this.#paths.of(peerId),
      problem: this.#problem,
      programProblems: this.#programs?.problems ?? [],
      alarms: this.#parts.witness.log.alarms,
    });
  }

  apply(change: FlagChange): Promise<void> {
    const applied = this.#applying.then(() => this.#apply(change));
    this.#applying = applied.catch(() => {});
    return applied;
  }

  async #apply(change: FlagChange): Promise<void> {
    const { paths, spool } = this.#parts;
    if (this.#stopping !== null) throw new QfError("ERR_UNAVAILABLE", "the agent is stopping");
    const { flags, changed } = liveFlags(change, this.#flags);
    if (changed.length === 0) return;
    const detail = changed.map((key) => `${key}=${JSON.stringify(flags[key])}`).join(" ");
    await spool.record({ type: "agent.state", what: "flags_changed", detail: detail.slice(0, 512) });
    await this.#listeners?.listen(flags, this.#flags);
    this.#flags = flags;
    this.#followPinned();
    // What is no longer allowed ends now, whether or not the change can be written to disk.
    this.#ssh?.recheck();
    if (!flags.sshServer) this.#listeners?.pings.close();
    this.#sync?.reportFlags();
    await this.#programs?.follow(flags);
    await writeAgentFile(paths, { format: 1, flags, enrolled: this.#enrolled });
    await this.#writePublic();
  }

  #followPinned(): void {
    const { requireIdpBinding, pinIssuer } = this.#flags;
    this.#pinnedKeys.follow(requireIdpBinding ? pinIssuer : null);
  }

  #writePublic(): Promise<void> {
    const running = { controlSocket: this.#controlSocket, bootId: this.#bootId };
    return writePublicClient(this.#parts.paths, this.#flags, running);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { paths, lock, spool } = this.#parts;
    const { log } = this.#options;
    this.#state = "stopping";
    this.#watch?.stop();
    this.#pinnedKeys.close();
    const attempt = (what: string, step: () => unknown) => stopPart(log, what, step);
    await attempt("programs", () => this.#programs?.close());
    await attempt("listener", () => this.#listeners?.listener.listenAt(null));
    await attempt("plain listener", () => this.#listeners?.plain.listenAt(null));
    await attempt("pings", () => this.#listeners?.pings.close());
    await attempt("stdio", () => this.#stdio?.close());
    await attempt("ssh", () => this.#ssh?.close());
    await attempt("relay", () => this.#listeners?.relay.close());
    await attempt("failures", () => this.#failures?.close());
    await attempt("audit", () =>
      spool.record({ type: "agent.state", what: "stopped", detail: this.#bootId }),
    );
    await attempt("upload", () => lastUpload(spool, () => this.#sync?.state().connected === true));
    await attempt("sync", () => this.#sync?.close());
    await attempt("control", () => this.#control?.close());
    await attempt("map", () => this.#maps?.flush());
    await attempt("public", () => writePublicClient(paths, this.#flags, null));
    await attempt("spool", () => spool.close());
    await attempt("lock", () => lock.release());
    log.info("agent stopped");
    this.#resolveStopped();
  }

  #connect(maps: MapHolder, ssh: SshServer, keys: AgentKeys): SyncClient {
    const { clock, spool, witness } = this.#parts;
    const { log, heartbeatMs } = this.#options;
    return createSyncClient({
      clock,
      log,
      enrolled: this.#enrolled,
      deviceKey: keys.deviceKey,
      bootId: this.#bootId,
      maps,
      spool,
      witness,
      report: () => ({
        facts: machineFacts(this.#enrolled.name),
        flags: reportedFlags(this.#flags, { privileged: this.#privileged, ownUser: this.#ownUser }),
        hostKeys: keys.hostKeyBlobs,
        direct: this.#directAddresses(),
      }),
      sessions: () => ssh.sessions(),
      approvals: this.#approvals,
      kill: (connectionId, reason) => {
        ssh.kill(connectionId, reason);
      },
      onReady: () => {
        this.#listeners?.relay.retryNow();
        void this.#programs?.refresh();
      },
      onGone: (message) => {
        log.error("this machine is no longer part of the account; nothing is allowed", { message });
        this.#problem = message;
        this.#listeners?.relay.close();
        void maps.clear();
      },
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    });
  }

  #directAddresses(): string[] {
    return this.#listeners?.advertisedAddresses(this.#flags) ?? [];
  }

  #serverContext(maps: MapHolder): ServerContext {
    const { clock, spool, keys } = this.#parts;
    return createServerContext({
      clock,
      log: this.#options.log,
      audit: spool,
      hostKeys: keys.hostKeys,
      maps,
      approvals: this.#approvals,
      pinnedKeys: this.#pinnedKeys,
      penalties: this.#penalties,
      privileged: this.#privileged,
      ownUser: this.#ownUser,
      flags: () => this.#flags,
      sync: () => this.#sync,
      notice: () => noticeOf(this.#parts.witness.log.alarms),
    });
  }
}
