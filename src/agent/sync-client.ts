/**
 * The agent's end of the control WebSocket: keeps one link to management, and on it the map, the audit
 * upload and the list of sessions up to date. Shapes: `wire/agent-sync.ts`.
 *
 * Decides nothing. A map that does not read, or is not for us, is never used; the one in effect then
 * simply grows old. Read `SyncClient` first, then `onMessage`.
 *
 * @module
 */

import type { Spool } from "../audit/spool.ts";
import type { Clock } from "../base/clock.ts";
import { type Ed25519Key, signEd25519 } from "../base/ed25519.ts";
import { parseJson } from "../base/files.ts";
import { type LinkFailure, linkFailure } from "../base/link-failure.ts";
import type { Log } from "../base/log.ts";
import { splitAgentMessage } from "../wire/agent-parts.ts";
import {
  type AgentFlags,
  type AgentMessage,
  HEARTBEAT_MS,
  LINK_TIMEOUT_MS,
  type LiveSession,
  ManagementMessage,
} from "../wire/agent-sync.ts";
import type { PeerFacts } from "../wire/client-api.ts";
import { digestOfMap } from "../wire/map-digest.ts";
import { differencesFrom, type MapOutline, type MapSections, sectionsOf } from "../wire/map-outline.ts";
import { signedBytes } from "../wire/signed-fields.ts";
import { PROTOCOL_VERSION } from "../wire/version.ts";
import type { ApprovalLink } from "./approvals.ts";
import { type AuditUpload, createAuditUpload } from "./audit-upload.ts";
import { backoffMs, firstWaitMs } from "./backoff.ts";
import type { Enrolled } from "./enrol.ts";
import type { MapHolder, MapRefusal } from "./map-holder.ts";
import { toldSessions } from "./told-sessions.ts";

/** What the machine reports about itself, read anew for each link. */
export interface SelfReport {
  readonly facts: PeerFacts;
  readonly flags: AgentFlags;
  readonly hostKeys: readonly string[];
  readonly direct: readonly string[];
}

export interface SyncClientOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly enrolled: Enrolled;
  readonly deviceKey: Ed25519Key;
  readonly bootId: string;
  readonly maps: MapHolder;
  readonly spool: Spool;
  report(): SelfReport;
  sessions(): LiveSession[];
  /** Is lent the link while it is up. */
  readonly approvals: ApprovalLink;
  /** Ends one connection at an administrator's word. */
  kill(connectionId: string, reason: string): void;
  /** The link is up: management has accepted us. */
  onReady?(): void;
  /** Management does not know this machine any more, or has told it not to come back. */
  onGone(message: string): void;
  /** Heartbeat in milliseconds. Default HEARTBEAT_MS; tests are quicker. */
  readonly heartbeatMs?: number;
  /** In [0, 1). */
  readonly random?: () => number;
}

export interface SyncState {
  readonly connected: boolean;
  /** Machine clock minus management clock, at the last answer. Null: none yet. */
  readonly clockOffsetMs: number | null;
  readonly latencyMs: number | null;
  /** Why there is no link, or why the map is not taken. Null: nothing is wrong. */
  readonly error: string | null;
  /** What mends it, where that is known. */
  readonly fix?: string | undefined;
  /** Within the last minutes another agent has connected with this machine's key. */
  readonly cloneSuspected: boolean;
}

export interface SyncClient {
  state(): SyncState;
  /** Flags or addresses changed. */
  reportFlags(): void;
  /** Says goodbye and stops for good. */
  close(): Promise<void>;
}

/** How often live sessions are compared with what was last told. */
const SESSIONS_MS = 1_000;
/** A link that lived this long was a good one: the next wait begins small again. */
const STABLE_MS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;

/** How long after the last sign of another agent with our key that is said: both come back again and again. */
const CLONE_MS = 600_000;

/** The error of a link whose first attempt is still under way. */
export const NOT_TRIED_YET = "management has not answered yet";

/** Whether there is no link although it was tried: management has had its chance since this agent started. */
export function isLinkDown(state: SyncState | undefined): boolean {
  return state !== undefined && !state.connected && state.error !== NOT_TRIED_YET;
}

/** How the error of a link that could not be made begins. */
const UNREACHABLE = "management can not be reached";

/** The error of a link over which an older map came. */
export const OLDER_MAP =
  "management has an older map than this machine, which refuses it: an older copy of its data was put back";

const REFUSALS: Readonly<Record<MapRefusal, string>> = {
  newer_protocol: "management sends a policy of a newer version; update qf on this machine",
  other_account: "management sends the map of another account; it is refused",
  other_peer: "management sends the map of another peer; it is refused",
  older_epoch: OLDER_MAP,
  older_version: OLDER_MAP,
};

/** Starts to connect at once, and goes on until closed. */
export function createSyncClient(options: SyncClientOptions): SyncClient {
  return new WebSocketSyncClient(options);
}

class WebSocketSyncClient implements SyncClient {
  readonly #options: SyncClientOptions;
  #socket: WebSocket | null = null;
  /** Whether management has answered on this link that our identity is good. */
  #isReady = false;
  /** Whether management holds the map in effect for current, so that its heartbeat confirms it. */
  #isCurrent = false;
  #attempt = 0;
  /** How far management wants its agents to spread their return; by how many they are. */
  #spreadMs = 0;
  /** When management has told us to come back, from when the link ended. */
  #retryAfterMs: number | null = null;
  #openedAtMs = 0;
  #heardAtMs = 0;
  #error: string | null = NOT_TRIED_YET;
  /** Of `#error`, where it is known. */
  #fix: string | undefined;
  #clockOffsetMs: number | null = null;
  #latencyMs: number | null = null;
  /** The last ping, by both clocks. */
  #pinged: { readonly sentMs: number; readonly monotonicMs: number } | null = null;
  #clonedUntilMs = Number.NEGATIVE_INFINITY;
  #needsMap = false;
  #toldSessions = "[]";
  #isClosed = false;
  #timers: ReturnType<typeof setInterval>[] = [];
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Messages are handled in order although some wait for the disk. */
  #handling: Promise<void> = Promise.resolve();
  readonly #audit: AuditUpload;

  constructor(options: SyncClientOptions) {
    this.#options = options;
    this.#audit = createAuditUpload(options);
    this.#connect();
  }

  state(): SyncState {
    return {
      connected: this.#isReady,
      clockOffsetMs: this.#clockOffsetMs,
      latencyMs: this.#latencyMs,
      error: this.#error,
      fix: this.#error === null ? undefined : this.#fix,
      cloneSuspected: this.#options.clock.monotonicMs() < this.#clonedUntilMs,
    };
  }

  reportFlags(): void {
    const { flags, direct } = this.#options.report();
    if (this.#isReady) this.#send({ type: "flags", flags, direct: [...direct] });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#audit.close();
    clearTimeout(this.#retry);
    if (this.#isReady) this.#send({ type: "leaving" });
    const socket = this.#socket;
    this.#drop("stopped");
    socket?.close();
    await this.#handling;
  }

  #connect(): void {
    const { clock, enrolled, log } = this.#options;
    const url = new URL(`${enrolled.origin}/agent/v1/sync`);
    url.searchParams.set("account", enrolled.accountId);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#openedAtMs = clock.monotonicMs();
    this.#heardAtMs = this.#openedAtMs;
    const isOurs = () => this.#socket === socket;
    socket.onmessage = (event) => {
      if (!isOurs()) return;
      this.#heardAtMs = clock.monotonicMs();
      const text: unknown = event.data;
      this.#handling = this.#handling
        .then(() => (isOurs() && typeof text === "string" ? this.#onText(text) : undefined))
        .catch((cause: unknown) => {
          log.error("a message of management could not be handled", {}, cause);
          if (isOurs()) this.#lost("a message of management could not be handled");
        });
    };
    let why: LinkFailure | undefined;
    socket.onerror = (event) => {
      why = linkFailure((event as Partial<ErrorEvent>).error);
    };
    socket.onclose = () => {
      if (!isOurs()) return;
      if (this.#isReady) this.#lost("the link to management was lost");
      else if (why === undefined) this.#lost(UNREACHABLE);
      else this.#lost(`${UNREACHABLE}: ${why.message}`, why.fix);
    };
    this.#timers.push(setInterval(() => this.#beat(), this.#options.heartbeatMs ?? HEARTBEAT_MS));
  }

  /** Ends this link and plans the next. */
  #lost(message: string, fix?: string): void {
    const { clock, log } = this.#options;
    const isNew = this.#isReady || message !== this.#error;
    if (isNew) log.warn("the link to management is down", { reason: message });
    if (this.#isReady && clock.monotonicMs() - this.#openedAtMs >= STABLE_MS) this.#attempt = 0;
    this.#drop(message);
    this.#fix = fix;
    if (this.#isClosed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), this.#nextWaitMs());
  }

  /** Management knows best when there is room for us; without its word the wait grows with each attempt. */
  #nextWaitMs(): number {
    const told = this.#retryAfterMs;
    this.#retryAfterMs = null;
    const random = (this.#options.random ?? Math.random)();
    if (told !== null) return Math.max(told, firstWaitMs(0, random));
    const attempt = this.#attempt;
    this.#attempt += 1;
    return attempt === 0 ? firstWaitMs(this.#spreadMs, random) : backoffMs(attempt, random);
  }

  #drop(message: string): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#isReady = false;
    this.#isCurrent = false;
    this.#needsMap = false;
    this.#audit.stop();
    this.#options.approvals.detach();
    this.#toldSessions = "[]";
    this.#error = message;
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    if (socket !== null && socket.readyState !== WebSocket.CLOSED) socket.close();
  }

  #send(message: AgentMessage): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    for (const part of splitAgentMessage(JSON.stringify(message))) this.#socket.send(part);
  }

  #beat(): void {
    const { clock, heartbeatMs } = this.#options;
    const silentMs = clock.monotonicMs() - this.#heardAtMs;
    const patienceMs = heartbeatMs === undefined ? LINK_TIMEOUT_MS : heartbeatMs * 3;
    if (this.#isReady) {
      this.#ping();
      if (silentMs > patienceMs) this.#lost("management does not answer");
    } else if (silentMs > CONNECT_TIMEOUT_MS) {
      this.#lost(UNREACHABLE);
    }
    this.#audit.beat();
  }

  #ping(): void {
    const { clock } = this.#options;
    const sentMs = Math.round(clock.nowMs());
    this.#pinged = { sentMs, monotonicMs: clock.monotonicMs() };
    this.#send({ type: "ping", sentMs });
  }

  async #onText(text: string): Promise<void> {
    const { log } = this.#options;
    const value = parseJson(text);
    const parsed = ManagementMessage.safeParse(value);
    if (parsed.success) return await this.#onMessage(parsed.data);
    const type = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
    if (type !== "map" && type !== "delta") {
      log.debug("a message of management is of no known form");
      return;
    }
    // An unknown restriction must not become a grant.
    this.#isCurrent = false;
    this.#error = "management sends a map that this version of qf can not read; update qf on this machine";
    log.error("a map of management can not be read and is refused", {}, parsed.error);
  }

  async #onMessage(message: ManagementMessage): Promise<void> {
    const { maps } = this.#options;
    switch (message.type) {
      case "welcome":
        return this.#identify(message);
      case "map":
        return this.#took(await maps.replace(message.map), "whole");
      case "delta":
        if (await maps.apply(message.delta, message.digest)) return this.#took(null, "delta");
        return this.#needMap();
      case "outline":
        return this.#compare(message.outline);
      case "current":
        return this.#onCurrent(message.version);
      case "pong":
        this.#measure(message.sentMs, message.nowMs);
        this.#spreadMs = message.spreadMs ?? 0;
        if (this.#isCurrent) maps.confirm();
        return;
      case "audit_ack":
        return await this.#audit.acknowledge(message.throughSeq);
      case "kill":
        return this.#options.kill(message.connectionId, message.reason);
      case "approval_opened":
      case "approval_refused":
      case "approval_answer":
        return this.#options.approvals.take(message);
      case "bye":
        return this.#onBye(message);
    }
  }

  #identify(welcome: Extract<ManagementMessage, { type: "welcome" }>): void {
    const { enrolled, deviceKey, bootId, maps, spool, clock } = this.#options;
    if (this.#isReady) return;
    const refusal = refuseWelcome(welcome, enrolled);
    if (refusal !== null) {
      this.#lost(refusal);
      return;
    }
    this.#clockOffsetMs = Math.round(clock.nowMs() - welcome.nowMs);
    const { accountId, origin, peerId } = enrolled;
    const bytes = signedBytes(
      "sync",
      { accountId, origin },
      { challenge: welcome.challenge, peerId, bootId },
    );
    const { facts, flags, hostKeys, direct } = this.#options.report();
    this.#send({
      type: "identify",
      protocolVersion: PROTOCOL_VERSION,
      peerId,
      bootId,
      signature: signEd25519(deviceKey, bytes),
      ...maps.position(),
      ...digestsOf(maps),
      facts,
      flags,
      hostKeys: [...hostKeys],
      direct: [...direct],
      nextAuditSeq: spool.nextUnacknowledged,
    });
  }

  #onCurrent(version: number): void {
    const { maps } = this.#options;
    if (maps.position().version !== version) {
      this.#send({ type: "need_map" });
      return;
    }
    maps.confirm();
    this.#took(null, "current");
  }

  /** Says what we have instead of the map that management has outlined. */
  #compare(outline: MapOutline): void {
    const map = this.#options.maps.snapshot()?.map;
    const differences = map === undefined ? null : differencesFrom(map, outline);
    if (differences === null) this.#needMap();
    else this.#send({ type: "differences", differences });
  }

  /** What we have is of no use: asks for the whole, once. */
  #needMap(): void {
    this.#isCurrent = false;
    if (!this.#needsMap) this.#send({ type: "need_map" });
    this.#needsMap = true;
  }

  /** A map is in effect, or was refused; either way management has accepted us. `how` it came. */
  #took(refusal: MapRefusal | null, how: "whole" | "delta" | "current"): void {
    const { log, maps } = this.#options;
    this.#needsMap = false;
    this.#isCurrent = refusal === null;
    this.#error = refusal === null ? null : REFUSALS[refusal];
    if (refusal !== null) log.error("a map of management is refused", { refusal });
    else this.#send({ type: "ack", version: maps.position().version });
    if (this.#isReady) return;
    this.#isReady = true;
    log.info("the link to management is up", { mapVersion: maps.position().version, map: how });
    this.#options.onReady?.();
    this.#tellSessions();
    this.#timers.push(setInterval(() => this.#tellSessions(), SESSIONS_MS));
    this.#ping();
    this.#options.approvals.attach((message) => this.#send(message));
    this.#audit.start((events) => this.#send({ type: "audit", events }));
  }

  #onBye(bye: Extract<ManagementMessage, { type: "bye" }>): void {
    const { clock, log, onGone } = this.#options;
    if (bye.code === "clone_suspected") this.#clonedUntilMs = clock.monotonicMs() + CLONE_MS;
    log.warn("management ended the link", { code: bye.code, retry: bye.retry });
    // Not a good link, however long it lived, unless management only restarts.
    if (bye.code !== "restarting") this.#openedAtMs = clock.monotonicMs();
    if (bye.retry) {
      this.#retryAfterMs = bye.retryAfterMs ?? null;
      this.#lost(bye.message);
      return;
    }
    this.#isClosed = true;
    this.#drop(bye.message);
    onGone(bye.message);
  }

  #measure(sentMs: number, managementMs: number): void {
    // A clock that is set meanwhile changes nothing of how long it took.
    if (this.#pinged?.sentMs !== sentMs) return;
    const roundTripMs = this.#options.clock.monotonicMs() - this.#pinged.monotonicMs;
    this.#latencyMs = Math.round(roundTripMs * 100) / 100;
    this.#clockOffsetMs = Math.round(sentMs + roundTripMs / 2 - managementMs);
  }

  #tellSessions(): void {
    const sessions = toldSessions(this.#options.sessions());
    const text = JSON.stringify(sessions);
    if (!this.#isReady || text === this.#toldSessions) return;
    this.#toldSessions = text;
    this.#send({ type: "sessions", sessions });
  }
}

function digestsOf(maps: MapHolder): { digest?: string; sections?: MapSections } {
  const map = maps.snapshot()?.map;
  return map === undefined ? {} : { digest: digestOfMap(map), sections: sectionsOf(map) };
}

/** What we sign must be for the account and origin we enrolled at. */
function refuseWelcome(
  welcome: { protocolVersion: number; accountId: string; origin: string },
  enrolled: Enrolled,
): string | null {
  if (welcome.accountId !== enrolled.accountId || welcome.origin !== enrolled.origin) {
    return "management calls itself something else than where this machine is enrolled";
  }
  if (welcome.protocolVersion > PROTOCOL_VERSION) {
    return "management speaks a newer protocol; update qf on this machine";
  }
  return null;
}
