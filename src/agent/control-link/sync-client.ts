/**
 * The agent's end of the control link. Keeps the network map, the audit upload and the list of sessions up to
 * date with management. Message shapes: `wire/agent-sync.ts`.
 *
 * Nothing is decided here. `management-link.ts` keeps the link up; `map-intake.ts` takes maps. Read
 * `SyncClient` first, then `onMessage`.
 *
 * @module
 */
import type { BatchJournal } from "../../audit/batch-journal.ts";
import type { Clock } from "../../base/clock.ts";
import { parseJson } from "../../base/files.ts";
import type { Log } from "../../base/log.ts";
import { type AgentMessage, type LiveSession, ManagementMessage } from "../../wire/agent-sync.ts";
import type { ApprovalLink } from "./approvals.ts";
import { type AuditUpload, createAuditUpload } from "./audit-upload.ts";
import { eventsOfVersion } from "./event-version.ts";
import { endOfMoved, type MoveFollower } from "./follow-move.ts";
import { denialOfWelcome, type Identity, identifyFor, type SelfReport } from "./identify.ts";
import { LogLink } from "./log-link.ts";
import type { LogWitness } from "./log-witness.ts";
import { createManagementLink, type ManagementLink } from "./management-link.ts";
import { createMapIntake, type MapIntake, type MapMessage } from "./map-intake.ts";
import { createRoundTrip, type RoundTrip } from "./round-trip.ts";
import { SessionReporter } from "./session-reporter.ts";
import type { UpgradeLink } from "./upgrade-link.ts";

export interface SyncClientOptions extends Identity, Pick<MoveFollower, "onMoved"> {
  readonly clock: Clock;
  readonly log: Log;
  sessions(): LiveSession[];
  /** Uses the link while it is up. */
  readonly approvals: Pick<ApprovalLink, "attach" | "detach" | "take">;
  /** Takes orders to upgrade. Absent: orders are ignored. */
  readonly upgrades?: UpgradeLink;
  /** Witnesses the account's log. Absent: this machine is no witness. */
  readonly witness?: { readonly log: LogWitness; readonly journal: BatchJournal };
  /** Ends one connection on an administrator's order. */
  kill(connectionId: string, reason: string): void;
  /** The link is up: management has accepted us. */
  onReady?(): void;
  /** Management no longer knows this machine, or has told it not to return. */
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
  /** Why the link is down or the map is refused. Null: nothing is wrong. */
  readonly error: string | null;
  /** The remedy, where it is known. */
  readonly fix?: string | undefined;
  /** Another agent has connected with this machine's key in the last 10 minutes. */
  readonly cloneSuspected: boolean;
  /** Management takes no audit events for now, since this machine has used up its share. */
  readonly auditHeld: boolean;
}

export interface SyncClient {
  state(): SyncState;
  /**
   * The time by management's clock, independent of the machine's clock. Null: management has not stated it.
   */
  managementNowMs(): number | null;
  /** Reports changed flags or addresses. */
  reportFlags(): void;
  /** Says goodbye and stops for good. `isLeft`: leaves silently, since a successor takes over. */
  close(how?: { readonly isLeft: boolean }): Promise<void>;
}

/**
 * How long `cloneSuspected` lasts after the last sign of another agent with our key. Both keep reconnecting.
 */
const CLONE_MS = 600_000;

/** The error of a link whose first attempt is still under way. */
export const NOT_TRIED_YET = "management has not answered yet";

/** Whether the link is down after at least one attempt since this agent started. */
export function isLinkDown(state: SyncState | undefined): boolean {
  return state !== undefined && !state.connected && state.error !== NOT_TRIED_YET;
}

/** Connects, and reconnects until closed. */
export function createSyncClient(options: SyncClientOptions): SyncClient {
  return new LinkedSyncClient(options);
}

class LinkedSyncClient implements SyncClient {
  readonly #options: SyncClientOptions;
  readonly #link: ManagementLink;
  readonly #intake: MapIntake;
  readonly #audit: AuditUpload;
  readonly #roundTrip: RoundTrip;
  readonly #log: LogLink | null;
  #error: string | null = NOT_TRIED_YET;
  /** The remedy for `#error`, where it is known. */
  #fix: string | undefined;
  /** The newest event version that management takes. */
  #eventVersion = 1;
  #takesVia = false;
  #clonedUntilMs = Number.NEGATIVE_INFINITY;
  #isAuditHeld = false;
  readonly #sessions: SessionReporter;

  constructor(options: SyncClientOptions) {
    const { maps, log, clock } = options;
    this.#options = options;
    this.#audit = createAuditUpload(options);
    this.#roundTrip = createRoundTrip(clock);
    this.#sessions = new SessionReporter(options.sessions);
    this.#intake = createMapIntake({ maps, log, send: (message) => this.#link.send(message) });
    this.#log = this.#createLogLink();
    this.#link = createManagementLink({
      ...options,
      onText: (text, isOurs) => this.#onText(text, isOurs),
      onBeat: () => this.#onBeat(),
      onEnd: (message, fix) => this.#onEnd(message, fix),
    });
  }

  #createLogLink(): LogLink | null {
    const { witness, ...options } = this.#options;
    if (witness === undefined) return null;
    const send = (message: AgentMessage): void => {
      if (this.#link.isReady) this.#link.send(message);
    };
    return new LogLink({ ...options, witness: witness.log, journal: witness.journal, send });
  }

  managementNowMs(): number | null {
    return this.#roundTrip.managementNowMs;
  }

  state(): SyncState {
    return {
      connected: this.#link.isReady,
      clockOffsetMs: this.#roundTrip.clockOffsetMs,
      latencyMs: this.#roundTrip.latencyMs,
      error: this.#error,
      fix: this.#error === null ? undefined : this.#fix,
      cloneSuspected: this.#options.clock.monotonicMs() < this.#clonedUntilMs,
      auditHeld: this.#isAuditHeld,
    };
  }

  reportFlags(): void {
    const { flags, direct } = this.#report();
    if (this.#link.isReady) this.#link.send({ type: "flags", flags, direct: [...direct] });
  }

  async close({ isLeft }: { readonly isLeft: boolean } = { isLeft: false }): Promise<void> {
    this.#audit.close();
    if (this.#link.isReady && !isLeft) this.#link.send({ type: "leaving" });
    await this.#link.close("stopped");
    // The successor has the link now, so its end here is no error.
    if (isLeft) this.#error = NOT_TRIED_YET;
  }

  #onEnd(message: string, fix: string | undefined): void {
    this.#intake.reset();
    this.#audit.stop();
    this.#log?.end();
    this.#isAuditHeld = false;
    this.#options.approvals.detach();
    this.#options.upgrades?.detach();
    this.#sessions.stop();
    this.#error = message;
    this.#fix = fix;
  }

  #onBeat(): void {
    if (this.#link.isReady) this.#ping();
    this.#audit.beat();
    void this.#log?.beat();
  }

  #ping(): void {
    this.#link.send({ type: "ping", sentMs: this.#roundTrip.pinged() });
  }

  async #onText(text: string, isOurs: () => boolean): Promise<void> {
    const value = parseJson(text);
    const parsed = ManagementMessage.safeParse(value);
    if (parsed.success) return await this.#onMessage(parsed.data, isOurs);
    const type = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
    if (type === "map" || type === "delta") this.#error = this.#intake.refuseUnread(parsed.error);
    else this.#options.log.debug("a message of management is of no known form");
  }

  async #onMessage(message: ManagementMessage, isOurs: () => boolean): Promise<void> {
    switch (message.type) {
      case "welcome":
        return await this.#onWelcome(message);
      case "map":
      case "delta":
      case "outline":
      case "current":
        return await this.#onMap(message, isOurs);
      case "pong":
        this.#roundTrip.answered(message.sentMs, message.nowMs);
        this.#link.spread(message.spreadMs ?? 0);
        this.#isAuditHeld = message.auditHeld === true;
        return this.#intake.confirm();
      case "audit_ack":
        return await this.#audit.acknowledge(message.throughSeq);
      case "log":
      case "log_proof":
      case "audit_resend":
        return await this.#log?.take(message);
      case "kill":
        return this.#options.kill(message.connectionId, message.reason);
      case "upgrade":
        return await this.#options.upgrades?.take(message);
      case "approval_opened":
      case "approval_refused":
      case "approval_answer":
        return this.#options.approvals.take(message);
      case "bye":
        return this.#onBye(message);
    }
  }

  async #onWelcome(welcome: Extract<ManagementMessage, { type: "welcome" }>): Promise<void> {
    if (this.#link.isReady) return;
    const moved = await endOfMoved(welcome, this.#options);
    if (moved !== null) return this.#link.end(moved.message, moved.how);
    const refusal = denialOfWelcome(welcome, this.#options.enrolled);
    if (refusal !== null) {
      this.#link.end(refusal);
      return;
    }
    this.#roundTrip.greeted(welcome.nowMs);
    this.#eventVersion = welcome.eventVersion ?? 1;
    await this.#log?.welcome(welcome.log);
    this.#takesVia = welcome.via === true;
    this.#options.upgrades?.welcome(welcome.upgrades === true);
    this.#link.send(identifyFor(welcome, { ...this.#options, report: () => this.#report() }));
  }

  /** The report, with the flags that this management's `welcome` says it understands. */
  #report(): SelfReport {
    const { flags, ...report } = this.#options.report();
    const known = this.#options.upgrades?.flagsFor(flags) ?? flags;
    const more = { ...this.#log?.flags(), ...(this.#takesVia ? { via: true as const } : {}) };
    return { ...report, flags: { ...known, ...more } };
  }

  async #onMap(message: MapMessage, isOurs: () => boolean): Promise<void> {
    const taken = await this.#intake.take(message, isOurs);
    if (taken === null) return;
    this.#error = taken.error;
    if (this.#link.isReady) return;
    const { log, maps, approvals, upgrades } = this.#options;
    this.#link.ready();
    log.info("the link to management is up", { mapVersion: maps.position().version, map: taken.how });
    this.#options.onReady?.();
    this.#sessions.start((told) => this.#link.send(told));
    this.#ping();
    approvals.attach((told) => this.#link.send(told));
    upgrades?.attach((told) => this.#link.send(told));
    const version = this.#eventVersion;
    this.#log?.ready();
    this.#audit.start(
      ({ events, batch }) =>
        this.#link.send({
          type: "audit",
          events: eventsOfVersion(version, events),
          ...(batch === undefined ? {} : { batch }),
        }),
      this.#log?.signer(version) ?? null,
    );
  }

  #onBye(bye: Extract<ManagementMessage, { type: "bye" }>): void {
    const { clock, log, onGone } = this.#options;
    if (bye.code === "clone_suspected") this.#clonedUntilMs = clock.monotonicMs() + CLONE_MS;
    log.warn("management ended the link", { code: bye.code, retry: bye.retry });
    if (bye.retry) {
      const isBad = bye.code !== "restarting";
      this.#link.end(bye.message, { isBad, retryAfterMs: bye.retryAfterMs ?? null });
      return;
    }
    // Not awaited: `close` waits for this very message to be handled.
    void this.#link.close(bye.message);
    onGone(bye.message);
  }
}
