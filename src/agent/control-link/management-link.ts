/**
 * The WebSocket to management. Connects, passes on messages in order, detects a dead link, and waits before
 * it reconnects. It neither composes nor reads messages.
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

/** A link that lived this long was good: the next wait starts small again. */
const STABLE_MS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;

/** Start of the message about a link that could not be made. */
const UNREACHABLE = "management cannot be reached";

export interface ManagementLinkOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly enrolled: Pick<Enrolled, "origin" | "accountId" | "movedFrom">;
  /**
   * Takes a message. Calls do not overlap, even where one waits for the disk. `isOurs`: the link that brought
   * it is still up.
   */
  onText(text: string, isOurs: () => boolean): Promise<void>;
  /** Called at each heartbeat. */
  onBeat(): void;
  /** A link or an attempt at one has ended. `fix`: the remedy, where it is known. */
  onEnd(message: string, fix: string | undefined): void;
  /** Heartbeat in milliseconds. Default HEARTBEAT_MS; tests are quicker. */
  readonly heartbeatMs?: number;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** How a link ends early, and what that means for the next one. */
export interface LinkEnd {
  /** The link does not count as good, however long it lived. */
  readonly isBad?: boolean;
  /** Earliest return, in milliseconds. Null or absent: our own backoff applies. */
  readonly retryAfterMs?: number | null;
  /** The remedy, where it is known. */
  readonly fix?: string | undefined;
}

export interface ManagementLink {
  /** Whether management has accepted our identity on this link. */
  readonly isReady: boolean;
  /** Management has accepted our identity. */
  ready(): void;
  send(message: AgentMessage): void;
  /** Sets the time over which management wants its agents to spread their return. */
  spread(spreadMs: number): void;
  /** Ends this link and schedules the next. */
  end(message: string, how?: LinkEnd): void;
  /** Ends this link for good. Resolves once earlier messages are handled. */
  close(message: string): Promise<void>;
}

/** Creates the link and starts to connect. */
export function createManagementLink(options: ManagementLinkOptions): ManagementLink {
  return new WebSocketLink(options);
}

class WebSocketLink implements ManagementLink {
  readonly #options: ManagementLinkOptions;
  #socket: WebSocket | null = null;
  #isReady = false;
  #isClosed = false;
  /** Why the last attempt failed. Logged once, however often it is retried. */
  #lastEnd = "";
  #attempt = 0;
  /** The time over which agents spread their return. Management derives it from their number. */
  #spreadMs = 0;
  #openedAtMs = 0;
  #heardAtMs = 0;
  #beating: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Keeps messages in order although handling some waits for the disk. */
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

  /**
   * The address to try. While a recent move is still in grace, every other attempt after a failure goes to
   * the old address.
   */
  #address(): string {
    const { enrolled, clock } = this.#options;
    const { movedFrom, origin } = enrolled;
    const isThere = movedFrom !== undefined && nowSeconds(clock) < movedFrom.untilSeconds;
    return isThere && this.#attempt % 2 === 1 ? movedFrom.origin : origin;
  }

  /** The wait that management asks for. Without one, the wait grows with each attempt. */
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
