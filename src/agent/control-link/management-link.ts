/**
 * The WebSockets to management, one after the other: opens one, hands over its messages in order, notices
 * when it is dead, and waits before the next. Neither makes nor reads a message itself.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../../base/clock.ts";
import { type LinkFailure, linkFailure } from "../../base/link-failure.ts";
import type { Log } from "../../base/log.ts";
import { splitAgentMessage } from "../../wire/agent-parts.ts";
import type { Enrolled } from "../../wire/agent-state-file.ts";
import { type AgentMessage, HEARTBEAT_MS, LINK_TIMEOUT_MS } from "../../wire/agent-sync.ts";
import { backoffMs, firstWaitMs } from "./backoff.ts";

/** A link that lived this long was a good one: the next wait begins small again. */
const STABLE_MS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;

/** How the reason of a link that could not be made begins. */
const UNREACHABLE = "management cannot be reached";

export interface ManagementLinkOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly enrolled: Pick<Enrolled, "origin" | "accountId" | "movedFrom">;
  /** One after the other, also where one waits for the disk. `isOurs`: the link it came over is still up. */
  onText(text: string, isOurs: () => boolean): Promise<void>;
  /** Each heartbeat. */
  onBeat(): void;
  /** A link has ended, or an attempt at one. `fix`: what mends that, where it is known. */
  onEnd(message: string, fix: string | undefined): void;
  /** Heartbeat in milliseconds. Default HEARTBEAT_MS; tests are quicker. */
  readonly heartbeatMs?: number;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** How a link ends before its time, and what that means for the next. */
export interface LinkEnd {
  /** It was no good one, however long it lived. */
  readonly isBad?: boolean;
  /** Not to come back sooner than this. Null or absent: our own wait. */
  readonly retryAfterMs?: number | null;
  /** What mends it, where that is known. */
  readonly fix?: string | undefined;
}

export interface ManagementLink {
  /** Whether management has answered on this link that our identity is good. */
  readonly isReady: boolean;
  /** Management has answered so. */
  ready(): void;
  send(message: AgentMessage): void;
  /** Management has said over how long its agents are to spread their return. */
  spread(spreadMs: number): void;
  /** Ends this link and plans the next. */
  end(message: string, how?: LinkEnd): void;
  /** Ends this link, and there is no next. Resolves once what came before is handled. */
  close(message: string): Promise<void>;
}

/** Starts to connect at once. */
export function createManagementLink(options: ManagementLinkOptions): ManagementLink {
  return new WebSocketLink(options);
}

class WebSocketLink implements ManagementLink {
  readonly #options: ManagementLinkOptions;
  #socket: WebSocket | null = null;
  #isReady = false;
  #isClosed = false;
  /** Why the last attempt came to nothing: said once, however often it is tried. */
  #lastEnd = "";
  #attempt = 0;
  /** How far management wants its agents to spread their return; by how many they are. */
  #spreadMs = 0;
  #openedAtMs = 0;
  #heardAtMs = 0;
  #beating: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Messages are handled in order although some wait for the disk. */
  #handling: Promise<void> = Promise.resolve();

  constructor(options: ManagementLinkOptions) {
    this.#options = options;
    this.#connect();
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  ready(): void {
    this.#isReady = true;
  }

  send(message: AgentMessage): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    for (const part of splitAgentMessage(JSON.stringify(message))) this.#socket.send(part);
  }

  spread(spreadMs: number): void {
    this.#spreadMs = spreadMs;
  }

  end(message: string, { isBad = false, retryAfterMs = null, fix }: LinkEnd = {}): void {
    const { clock, log } = this.#options;
    const isNew = this.#isReady || message !== this.#lastEnd;
    if (isNew) log.warn("the link to management is down", { reason: message });
    this.#lastEnd = message;
    const isStable = !isBad && clock.monotonicMs() - this.#openedAtMs >= STABLE_MS;
    if (this.#isReady && isStable) this.#attempt = 0;
    this.#drop(message, fix);
    if (this.#isClosed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), this.#nextWaitMs(retryAfterMs));
  }

  async close(message: string): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#drop(message);
    await this.#handling;
  }

  #connect(): void {
    const { clock, enrolled, log, heartbeatMs } = this.#options;
    const url = new URL(`${this.#address()}/agent/v1/sync`);
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
        .then(() => (isOurs() && typeof text === "string" ? this.#options.onText(text, isOurs) : undefined))
        .catch((cause: unknown) => {
          log.error("a message of management could not be handled", {}, cause);
          if (isOurs()) this.end("a message of management could not be handled");
        });
    };
    let why: LinkFailure | undefined;
    socket.onerror = (event) => {
      why = linkFailure((event as Partial<ErrorEvent>).error);
    };
    socket.onclose = () => {
      if (!isOurs()) return;
      if (this.#isReady) this.end("the link to management was lost");
      else if (why === undefined) this.end(UNREACHABLE);
      else this.end(`${UNREACHABLE}: ${why.message}`, { fix: why.fix });
    };
    this.#beating = setInterval(() => this.#beat(), heartbeatMs ?? HEARTBEAT_MS);
  }

  /** Where management is. After a failure every other attempt goes to where it was, while that is good. */
  #address(): string {
    const { enrolled, clock } = this.#options;
    const { movedFrom, origin } = enrolled;
    const isThere = movedFrom !== undefined && nowSeconds(clock) < movedFrom.untilSeconds;
    return isThere && this.#attempt % 2 === 1 ? movedFrom.origin : origin;
  }

  /** Management knows best when there is room for us; without its word the wait grows with each attempt. */
  #nextWaitMs(told: number | null): number {
    const random = (this.#options.random ?? Math.random)();
    if (told !== null) return Math.max(told, firstWaitMs(0, random));
    const attempt = this.#attempt;
    this.#attempt += 1;
    return attempt === 0 ? firstWaitMs(this.#spreadMs, random) : backoffMs(attempt, random);
  }

  #drop(message: string, fix?: string): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#isReady = false;
    clearInterval(this.#beating);
    this.#options.onEnd(message, fix);
    if (socket !== null && socket.readyState !== WebSocket.CLOSED) socket.close();
  }

  #beat(): void {
    const { clock, heartbeatMs } = this.#options;
    this.#options.onBeat();
    const silentMs = clock.monotonicMs() - this.#heardAtMs;
    const patienceMs = heartbeatMs === undefined ? LINK_TIMEOUT_MS : heartbeatMs * 3;
    if (this.#isReady && silentMs > patienceMs) this.end("management does not answer");
    else if (!this.#isReady && silentMs > CONNECT_TIMEOUT_MS) this.end(UNREACHABLE);
  }
}
