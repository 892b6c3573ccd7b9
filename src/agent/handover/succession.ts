/**
 * Succession of agents at an upgrade: predecessors that still serve their last sessions, and the handover to
 * a successor.
 *
 * An agent hands itself over only when it was told to expect a successor. If no successor serves in time, the
 * agent offers what it gave up to its own process, so a successor that fails ends nothing.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { AgentFlagsStored } from "../../wire/agent-state-file.ts";
import type { LiveSession } from "../../wire/agent-sync.ts";
import type { Inheritance } from "../../wire/handover.ts";
import type { Inherited } from "../contracts/inherited.ts";
import { type ApprovalLink, createApprovals } from "../control-link/approvals.ts";
import { duplicate } from "../os/libc.ts";
import { FOLLOWED_MS_MAX, type Told } from "./drain.ts";
import { type HandedOver, handOver, type Leaving } from "./hand-over.ts";
import { Predecessors } from "./predecessors.ts";
import { openRunSocket, type RunSocket, runSocketPath } from "./run-socket.ts";
import { type SharedApprovals, shareApprovals } from "./shared-approvals.ts";
import { inheritedOf } from "./take-over.ts";

/** How long a successor may take to serve before it counts as failed. */
const SERVES_MS_MAX = 15_000;
/** Wait before what was given up is offered again. */
const OFFER_AGAIN_MS = 5_000;

/** The parts of a serving agent. */
export type Serving = Omit<Leaving, "clock" | "log" | "approvals" | "predecessors" | "runSocket" | "runPath">;

export interface SuccessionOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly controlSocket: string;
  flags(): AgentFlagsStored;
  /** Resolves once changes in progress are done. False: the agent can no longer be taken over. */
  settle(): Promise<boolean>;
  /** The last session of a handed-over agent has ended. */
  onEnded(): void;
  /** See `StartAgentOptions`. */
  readonly onDeserted: ((inherited: Inherited) => void) | undefined;
  readonly servesMsMax: number | undefined;
}

export class Succession {
  readonly #options: SuccessionOptions;
  readonly #runPath: string;
  /** This agent's approvals. */
  readonly approvals: ApprovalLink = createApprovals();
  /** Approvals of this agent and its predecessors. */
  readonly shared: SharedApprovals = shareApprovals(this.approvals, (told) => this.#before?.told(told));
  #before: Predecessors | undefined;
  #runSocket: RunSocket | undefined;
  #serving: Serving | undefined;
  #expectedUntilMs = Number.NEGATIVE_INFINITY;
  #handingOver: Promise<HandedOver | null> | null = null;
  #handedOver: HandedOver | null = null;
  #offer: NodeJS.Timeout | undefined;

  constructor(options: SuccessionOptions) {
    this.#options = options;
    this.#runPath = runSocketPath(options.controlSocket);
  }

  /** Starts serving: accepts predecessors, and lets a successor take over. */
  async serve(serving: Serving): Promise<void> {
    const { log, flags } = this.#options;
    const { maps, spool, listeners } = serving;
    const predecessors = new Predecessors({
      ...{ log, maps, flags },
      audit: spool,
      onHello: (hello) => listeners.gate.note(hello),
      ask: (message) => this.shared.ask(message),
    });
    this.#before = predecessors;
    this.#serving = serving;
    this.#runSocket = await openRunSocket(this.#runPath, {
      ...{ log, predecessors },
      handOver: () => this.#handOver(),
      descriptor: (index) => this.#handedOver?.descriptors()[index],
      hasHandedOver: () => this.isLeaving,
    });
  }

  /** Whether this agent has begun to hand itself over. */
  get isLeaving(): boolean {
    return this.#handingOver !== null;
  }

  /** Whether a successor serves. */
  get isFollowed(): boolean {
    return this.#handedOver?.isFollowed() === true;
  }

  /** Process ids of the predecessors. */
  get pids(): readonly number[] {
    return this.#before?.pids ?? [];
  }

  /** Sessions of the predecessors. */
  sessions(): LiveSession[] {
    return this.#before?.sessions() ?? [];
  }

  kill(connectionId: string, reason: string): void {
    this.#before?.kill(connectionId, reason);
  }

  flagsChanged(): void {
    this.#before?.flagsChanged();
  }

  /** Lets a successor take over within `forMs`. */
  expect(forMs = FOLLOWED_MS_MAX): void {
    this.#expectedUntilMs = this.#options.clock.monotonicMs() + forMs;
  }

  /** Whether a successor is expected now. */
  get isExpecting(): boolean {
    return this.#options.clock.monotonicMs() <= this.#expectedUntilMs;
  }

  tell(told: Told): void {
    this.#handedOver?.drain.tell(told);
  }

  /** Ends the remaining sessions of an agent that has been handed over. Otherwise does nothing. */
  async end(): Promise<void> {
    await (await this.#handingOver)?.drain.end();
  }

  /** Ends the predecessors, since the agent stops for good. Resolves when they are gone, or after a while. */
  async endBefore(): Promise<void> {
    await this.#before?.end();
  }

  async close(): Promise<void> {
    await this.#runSocket?.close();
    this.#before?.close();
  }

  /** What a successor inherits. Null: none is expected, or one serves already. */
  async #handOver(): Promise<Inheritance | null> {
    if (!this.isExpecting && !this.isLeaving) return null;
    this.#handingOver ??= this.#begin();
    const handedOver = await this.#handingOver;
    if (handedOver === null) this.#handingOver = null;
    return handedOver === null || handedOver.isFollowed() ? null : handedOver.inheritance;
  }

  async #begin(): Promise<HandedOver | null> {
    const { clock, log, settle, onEnded, servesMsMax } = this.#options;
    const [serving, predecessors, runSocket] = [this.#serving, this.#before, this.#runSocket];
    if (serving === undefined || predecessors === undefined || runSocket === undefined) return null;
    if (!(await settle())) return null;
    const { approvals } = this;
    const handedOver = await handOver({
      ...serving,
      ...{ clock, log, approvals, predecessors, runSocket },
      runPath: this.#runPath,
    });
    this.#handedOver = handedOver;
    log.info("this agent is handed over to a successor", { sessions: serving.ssh.sessions().length });
    this.#offer = setTimeout(() => this.#offerBack(handedOver), servesMsMax ?? SERVES_MS_MAX);
    void handedOver.drain.ended.then(() => {
      clearTimeout(this.#offer);
      onEnded();
    });
    return handedOver;
  }

  #offerBack(handedOver: HandedOver): void {
    const { log, onDeserted } = this.#options;
    if (handedOver.isFollowed() || onDeserted === undefined) return;
    log.warn("no successor serves: this agent takes back what it gave up");
    const { inheritance } = handedOver;
    const sockets = inheritance.listeners.flatMap(({ role }, at) => {
      const fd = handedOver.descriptors()[at];
      return fd === undefined ? [] : [{ role, fd: duplicate(fd) }];
    });
    onDeserted(inheritedOf(inheritance, sockets));
    this.#offer = setTimeout(() => this.#offerBack(handedOver), OFFER_AGAIN_MS);
  }
}
