/**
 * One running agent: everything it consists of, started and stopped in order.
 *
 * State, lock, spool, map, SSH server, listener, control socket, link to management; the other way round
 * to stop. Decides nothing: it wires those who do. Enrolment comes before (`prepare.ts`).
 *
 * @module
 */
import { openSpool, type Spool } from "../audit/spool.ts";
import { VERSION } from "../base/build-info.ts";
import { type Clock, nowSeconds, systemClock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { ownUserName } from "../base/own-user.ts";
import { newId } from "../base/random.ts";
import { type AgentFlagsStored, LISTEN_NONE } from "../wire/agent-state-file.ts";
import type { AgentStatus } from "../wire/control.ts";
import type { PingAnswer } from "../wire/ping.ts";
import { createWorld, staleness } from "./agent-world.ts";
import { type ApprovalLink, createApprovals } from "./approvals.ts";
import { controlSocketPath, prepareControlFolder } from "./control-path.ts";
import { type ControlServer, openControlServer } from "./control-server.ts";
import { createDirectListener, type DirectListener } from "./direct-listener.ts";
import type { Enrolled } from "./enrol.ts";
import { directAddresses, machineFacts } from "./facts.ts";
import { createFailureCount, type FailureCount } from "./failure-count.ts";
import { changedFlags, type FlagChange, reportedFlags, resolveFlags } from "./flags.ts";
import { createGate } from "./gate.ts";
import { createMapHolder, type MapHolder } from "./map-holder.ts";
import { lookUpAccount } from "./os/users.ts";
import { createPeerPaths, type PeerPaths } from "./peer-paths.ts";
import { agentPenalties, type Penalties } from "./penalties.ts";
import { createPings, type Pings } from "./pings.ts";
import { createPinnedKeys, type PinnedKeys } from "./pinned-keys.ts";
import { createPlainListener, type PlainListener } from "./plain-listener.ts";
import { createRelayLink, type RelayLink } from "./relay-link.ts";
import {
  type AgentKeys,
  openKeys,
  prepareStateDir,
  readAgentFile,
  readLastMap,
  type StatePaths,
  writeAgentFile,
  writePublicClient,
} from "./state.ts";
import { lockState, type StateLock } from "./state-lock.ts";
import { buildStatus } from "./status-report.ts";
import { openStdioListener, type StdioListener } from "./stdio-listener.ts";
import { createStreamTaker } from "./stream-taker.ts";
import { createSyncClient, isLinkDown, type SyncClient } from "./sync-client.ts";
import type { SshServer, World } from "./world.ts";

export interface StartAgentOptions {
  readonly stateDir: string;
  readonly log: Log;
  readonly clock?: Clock;
  /** Makes the SSH server; tests pass a fake. */
  createSshServer(world: World): SshServer;
  readonly runtimeDir?: string | undefined;
  /** For tests; see `sync-client.ts`. */
  readonly heartbeatMs?: number;
}

export interface Agent {
  status(): AgentStatus;
  /** Applies changed flags live. Throws ERR_USAGE, ERR_ADDRESS_IN_USE …, with nothing changed. */
  apply(change: FlagChange): Promise<void>;
  /** Stops in order, once. */
  stop(): Promise<void>;
  /** Resolves when it has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
}

/** How often age of the map and addresses of the machine are looked at. */
const WATCH_MS = 1_000;
const ADDRESSES_EVERY = 30;
/** How long a stop waits for management to take the last events; the spool keeps them anyway. */
const LAST_UPLOAD_MS = 1_000;

/**
 * Starts the agent of `stateDir`, which must be enrolled. Throws ERR_NOT_ENROLLED, ERR_CONFLICT (one
 * runs there), ERR_STATE_DAMAGED, ERR_ADDRESS_IN_USE …, with everything put back.
 */
export async function startAgent(options: StartAgentOptions): Promise<Agent> {
  const paths = await prepareStateDir(options.stateDir);
  const lock = await lockState(options.stateDir);
  const undo: (() => Promise<unknown>)[] = [() => lock.release()];
  try {
    const file = await readAgentFile(paths);
    if (file?.enrolled === undefined) {
      throw new QfError("ERR_NOT_ENROLLED", `the state folder ${options.stateDir} is not enrolled`, {
        hint: "run qf agent up with --management-url and --setup-key",
      });
    }
    const keys = await openKeys(paths, { mustExist: true });
    const clock = options.clock ?? systemClock;
    const { spool } = await openSpool({ directory: paths.audit, clock, log: options.log });
    undo.unshift(() => spool.close());
    const agent = new RunningAgent(options, { paths, lock, keys, clock, spool }, file.flags, file.enrolled);
    undo.unshift(() => agent.stop());
    await agent.start();
    return agent;
  } catch (cause) {
    for (const step of undo) await step().catch(() => {});
    throw cause;
  }
}

interface Parts {
  readonly paths: StatePaths;
  readonly lock: StateLock;
  readonly keys: AgentKeys;
  readonly clock: Clock;
  readonly spool: Spool;
}

class RunningAgent implements Agent {
  readonly #options: StartAgentOptions;
  readonly #parts: Parts;
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
  #listener: DirectListener | undefined;
  #pings: Pings | undefined;
  readonly #paths: PeerPaths = createPeerPaths();
  #plain: PlainListener | undefined;
  #relay: RelayLink | undefined;
  #failures: FailureCount | undefined;
  #control: ControlServer | undefined;
  #stdio: StdioListener | undefined;
  #sync: SyncClient | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #problem: string | null = null;
  #stopping: Promise<void> | null = null;
  /** One change of flags at a time. */
  #applying: Promise<void> = Promise.resolve();
  #resolveStopped: () => void = () => {};
  readonly stopped: Promise<void>;

  constructor(options: StartAgentOptions, parts: Parts, flags: AgentFlagsStored, enrolled: Enrolled) {
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
    const ssh = this.#options.createSshServer(this.#world(maps));
    this.#ssh = ssh;
    maps.onChange(() => ssh.recheck());
    const gate = createGate({
      clock,
      failures: this.#failures,
      // Without a map nothing is taken, so who never had one took nothing.
      hadPredecessor: last.stored !== undefined || last.confirmation !== undefined || last.damage !== null,
      snapshot: () => maps.snapshot(),
    });
    this.#pings = createPings({
      mayGoOn: (hello) => gate.mayGoOn(hello),
      answer: () => this.#pingAnswer(maps),
    });
    const take = createStreamTaker({ ssh, pings: this.#pings, paths: this.#paths });
    this.#listener = createDirectListener({ clock, gate, penalties: this.#penalties, take });
    this.#relay = createRelayLink({
      clock,
      log,
      enrolled: this.#enrolled,
      deviceKey: keys.deviceKey,
      gate,
      take,
      isManagementUp: () => this.#sync?.state().connected ?? false,
    });
    this.#plain = createPlainListener(ssh);
    await this.#listen(this.#flags);
    await prepareControlFolder(paths, this.#controlSocket);
    this.#control = await openControlServer(this.#controlSocket, this.#controlled());
    const isSshOn = () => this.#flags.sshServer;
    this.#stdio = await openStdioListener(this.#controlSocket, { ssh, isSshOn });
    await this.#writePublic();
    this.#sync = this.#connect(maps, ssh, keys);
    this.#startWatch(maps, ssh);
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
      listening: this.#listener?.addresses() ?? [],
      plainListening: this.#plain?.addresses() ?? [],
      relay: this.#relay?.state() ?? { connected: false, streams: 0 },
      sessions: this.#ssh?.sessions() ?? [],
      told: this.#directAddresses(),
      spool: this.#parts.spool.state(),
      pathOf: (peerId) => this.#paths.of(peerId),
      problem: this.#problem,
    });
  }

  #pingAnswer(maps: MapHolder): PingAnswer {
    const age = maps.ageSeconds();
    return {
      nowMs: this.#parts.clock.nowMs(),
      version: VERSION,
      mapAgeSeconds: Number.isFinite(age) ? Math.max(0, Math.floor(age)) : null,
      connected: this.#sync?.state().connected ?? false,
      ssh: !this.#flags.sshServer ? "off" : staleness(maps) === 2 ? "map_stale" : "on",
    };
  }

  apply(change: FlagChange): Promise<void> {
    const applied = this.#applying.then(() => this.#apply(change));
    this.#applying = applied.catch(() => {});
    return applied;
  }

  async #apply(change: FlagChange): Promise<void> {
    const { paths, spool } = this.#parts;
    if (this.#stopping !== null) throw new QfError("ERR_UNAVAILABLE", "the agent is stopping");
    const flags = resolveFlags(change, this.#flags);
    const changed = changedFlags(this.#flags, flags);
    if (changed.length === 0) return;
    const needsRestart = changed.find((key) => key === "managementUrl" || key === "name");
    if (needsRestart !== undefined) {
      throw new QfError("ERR_CONFLICT", "a running agent keeps its management server and its name", {
        hint: "run qf agent down first, then qf agent up with the change",
      });
    }
    const detail = changed.map((key) => `${key}=${JSON.stringify(flags[key])}`).join(" ");
    await spool.record({ type: "agent.state", what: "flags_changed", detail: detail.slice(0, 512) });
    await this.#listen(flags);
    this.#flags = flags;
    this.#followPinned();
    // What was taken away ends now, whether or not the disk takes the change.
    this.#ssh?.recheck();
    if (!flags.sshServer) this.#pings?.close();
    this.#sync?.reportFlags();
    await writeAgentFile(paths, { format: 1, flags, enrolled: this.#enrolled });
    await this.#writePublic();
  }

  #followPinned(): void {
    const { requireIdpBinding, pinIssuer } = this.#flags;
    this.#pinnedKeys.follow(requireIdpBinding ? pinIssuer : null);
  }

  /** Both listeners at their new addresses, or both as they were; and the relay, which can not fail. */
  async #listen({ sshServer, listen, plainSshListen }: AgentFlagsStored): Promise<void> {
    const before = this.#flags;
    await this.#listener?.listenAt(directAddress({ sshServer, listen }));
    try {
      await this.#plain?.listenAt(sshServer ? plainSshListen : null);
    } catch (cause) {
      await this.#listener?.listenAt(directAddress(before)).catch(() => {});
      throw cause;
    }
    this.#relay?.want(sshServer);
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
    clearInterval(this.#watch);
    this.#pinnedKeys.close();
    const attempt = async (what: string, step: () => Promise<unknown> | undefined) => {
      try {
        await step();
      } catch (cause) {
        log.error("a part of the agent did not stop well", { part: what }, cause);
      }
    };
    await attempt("listener", () => this.#listener?.listenAt(null));
    await attempt("plain listener", () => this.#plain?.listenAt(null));
    await attempt("pings", async () => this.#pings?.close());
    await attempt("stdio", () => this.#stdio?.close());
    await attempt("ssh", () => this.#ssh?.close());
    await attempt("relay", async () => this.#relay?.close());
    await attempt("failures", () => this.#failures?.close());
    await attempt("audit", () =>
      spool.record({ type: "agent.state", what: "stopped", detail: this.#bootId }),
    );
    await attempt("upload", () => this.#lastUpload());
    await attempt("sync", () => this.#sync?.close());
    await attempt("control", () => this.#control?.close());
    await attempt("map", () => this.#maps?.flush());
    await attempt("public", () => writePublicClient(paths, this.#flags, null));
    await attempt("spool", () => spool.close());
    await attempt("lock", () => lock.release());
    log.info("agent stopped");
    this.#resolveStopped();
  }

  async #lastUpload(): Promise<void> {
    const { spool } = this.#parts;
    for (
      let waitedMs = 0;
      waitedMs < LAST_UPLOAD_MS && this.#sync?.state().connected === true;
      waitedMs += 20
    ) {
      if ((await spool.pending(spool.nextUnacknowledged, 1)).length === 0) return;
      await Bun.sleep(20);
    }
  }

  #connect(maps: MapHolder, ssh: SshServer, keys: AgentKeys): SyncClient {
    const { clock, spool } = this.#parts;
    const { log, heartbeatMs } = this.#options;
    return createSyncClient({
      clock,
      log,
      enrolled: this.#enrolled,
      deviceKey: keys.deviceKey,
      bootId: this.#bootId,
      maps,
      spool,
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
      onReady: () => this.#relay?.retryNow(),
      onGone: (message) => {
        log.error("this machine is no longer part of the account; nothing is allowed", { message });
        this.#problem = message;
        this.#relay?.close();
        void maps.clear();
      },
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    });
  }

  #directAddresses(): string[] {
    const listening = this.#listener?.addresses() ?? [];
    return listening.length === 0 ? [] : directAddresses(listening, this.#flags.advertise);
  }

  /** A map grows stale, and addresses change, without anybody saying so. */
  #startWatch(maps: MapHolder, ssh: SshServer): void {
    let wasStale = staleness(maps);
    let addresses = JSON.stringify(this.#directAddresses());
    let beats = 0;
    this.#watch = setInterval(() => {
      const isStale = staleness(maps);
      if (isStale !== wasStale) ssh.recheck();
      wasStale = isStale;
      beats += 1;
      if (beats % ADDRESSES_EVERY !== 0) return;
      const found = JSON.stringify(this.#directAddresses());
      if (found !== addresses) this.#sync?.reportFlags();
      addresses = found;
    }, WATCH_MS);
  }

  #world(maps: MapHolder): World {
    const { clock, spool, keys } = this.#parts;
    return createWorld({
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
      isLinkDown: () => isLinkDown(this.#sync?.state()),
    });
  }

  #controlled() {
    const { clock, keys } = this.#parts;
    return {
      clock,
      log: this.#options.log,
      deviceKey: keys.deviceKey,
      enrolled: () => this.#enrolled,
      status: () => this.status(),
      apply: (change: FlagChange) => this.apply(change),
      down: () => void this.stop(),
      uidOf: async (localUser: string) => (await lookUpAccount(localUser, nowSeconds(clock)))?.uid ?? null,
    };
  }
}

/** Where the direct listener belongs. Null: nowhere. */
function directAddress(flags: Pick<AgentFlagsStored, "sshServer" | "listen">): string | null {
  return flags.sshServer && flags.listen !== LISTEN_NONE ? flags.listen : null;
}
