/**
 * A proven agent's link: what management sends on it, and in which order. `link-send-queue.ts` bounds what
 * waits unread.
 *
 * When the map may have changed, the link sends the current one. Changes that arrive while one is being sent,
 * or while the agent is slow, are sent together.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { ServerWebSocket } from "bun";
import { type AgentParts, createAgentParts } from "../../wire/agent-parts.ts";
import type { LiveSession, ManagementMessage } from "../../wire/agent-sync.ts";
import type { MapDifferences } from "../../wire/map-outline.ts";
import type { NetworkMap } from "../../wire/network-map.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import type { MapEncoder } from "../maps/encode.ts";
import { type CatchUp, createCatchUp, isAhead, isMapAt, type Position } from "./catch-up.ts";
import type { KeyedSemaphore } from "./keyed-semaphore.ts";
import { LinkSendQueue } from "./link-send-queue.ts";

/** A whole map counts as in flight until it is acknowledged, at most this long. */
const WHOLE_MS_MAX = 10_000;

/** Data attached to a control WebSocket, from its request to its end. */
export interface SocketData {
  readonly kind: "agent-sync";
  readonly sourceAddress: string;
  /** The account that the request named. Null: none, so it gets the first. */
  readonly wantedAccountId: string | null;
  /** 32 random bytes in base64url, which the agent must sign. */
  challenge: string;
  /** Empty until the agent was told which account this is. */
  accountId: AccountId;
  /** Whether it counts as an unproven socket. */
  isUnproven: boolean;
  /** Whether its first map, or what replaces it, was sent. */
  isServed: boolean;
  /** Closes the socket if the proof does not arrive in time. */
  timer: ReturnType<typeof setTimeout> | null;
  /** Null until the agent has proven itself. */
  link: AgentLink | null;
  /** Frees its place in the handshake. May be called more than once. */
  leave: () => void;
  /** Messages that wait to be handled; bounded. */
  queued: number;
  /** Settles when the last of them was handled. */
  handling: Promise<void>;
  readonly parts: AgentParts;
}

/** Data of a new socket, with a challenge of its own. */
export function newSocketData(sourceAddress: string, wantedAccountId: string | null): SocketData {
  return {
    kind: "agent-sync",
    sourceAddress,
    wantedAccountId,
    challenge: randomBytes(32).toString("base64url"),
    accountId: "",
    isUnproven: false,
    isServed: false,
    timer: null,
    link: null,
    leave: () => {},
    queued: 0,
    handling: Promise.resolve(),
    parts: createAgentParts(),
  };
}

export interface AgentLink {
  readonly accountId: AccountId;
  readonly peerId: PeerId;
  readonly name: string;
  readonly bootId: string;
  readonly ackedVersion: number;
  sessions: readonly LiveSession[];
  /** The map may have changed: sends what is new, soon. */
  refresh(): void;
  /** The agent asks for the whole map, since what it has is unusable. */
  needWhole(): void;
  /** The agent's answer to the question what it has. */
  differ(differences: MapDifferences): void;
  /** The agent has this version in effect. */
  acknowledge(version: number): void;
  send(message: ManagementMessage): void;
  /** Sends the reason, then closes. */
  bye(bye: Omit<Extract<ManagementMessage, { type: "bye" }>, "type">): void;
  /** The agent has read what was sent. */
  drained(): void;
  close(): void;
}

export interface LinkOptions {
  readonly socket: ServerWebSocket<SocketData>;
  readonly accountId: AccountId;
  readonly peerId: PeerId;
  readonly name: string;
  readonly bootId: string;
  /** What the agent has when it connects. */
  readonly position: Position;
  /** Called when the agent has a newer map than management, so an older backup was restored. */
  onAhead(): void;
  readonly encoder: MapEncoder;
  /** Limits whole maps in flight over all links, one per link. */
  readonly wholeMaps: KeyedSemaphore;
  /** Limits how many agents are asked at once what they have. */
  readonly asking: KeyedSemaphore;
  /** In how many milliseconds an agent without a place may try again. */
  retryAfterMs(): number;
  /**
   * The current map. `isFirst`: with all that is committed; otherwise with the changes known to this process.
   */
  mapOf(isFirst: boolean): Promise<NetworkMap | undefined>;
  /**
   * Called when the first answer was sent: a map, that it is current, or the question what the agent has. May
   * be called more than once.
   */
  onFirst(): void;
  onFailure(cause: unknown): void;
}

/** Opens the link of a proven agent. Sends nothing before `refresh`. */
export function createLink(options: LinkOptions): AgentLink {
  return new ControlLink(options);
}

class ControlLink implements AgentLink {
  readonly accountId: AccountId;
  readonly peerId: PeerId;
  readonly name: string;
  readonly bootId: string;
  sessions: readonly LiveSession[] = [];
  readonly #options: LinkOptions;
  readonly #sendQueue: LinkSendQueue;
  readonly #catchUp: CatchUp;
  /** Whether the map may have changed since the last look. */
  #isDirty = false;
  #isSending = false;
  /** Until the first map, the agent's position decides between "current", a delta and a whole map. */
  #isFirst = true;
  /** The agent asked for a whole map and has not got it yet. */
  #needsWhole = false;
  /** The last map sent. Null: none on this link yet. */
  #sentMap: NetworkMap | null = null;
  #ackedVersion = 0;
  /** Frees this link's place among whole maps. */
  #leaveWholeMaps = (): void => {};

  constructor(options: LinkOptions) {
    this.#options = options;
    this.accountId = options.accountId;
    this.peerId = options.peerId;
    this.name = options.name;
    this.bootId = options.bootId;
    this.#sendQueue = new LinkSendQueue(options.socket, () => this.close());
    this.#catchUp = createCatchUp({
      ...options,
      send: (message) => this.send(message),
      onAsked: () => options.onFirst(),
    });
  }

  get ackedVersion(): number {
    return this.#ackedVersion;
  }

  refresh(): void {
    this.#isDirty = true;
    this.#sendSoon();
  }

  needWhole(): void {
    this.#needsWhole = true;
    this.#catchUp.answer(null);
    this.refresh();
  }

  differ(differences: MapDifferences): void {
    this.#catchUp.answer(differences);
  }

  acknowledge(version: number): void {
    this.#ackedVersion = version;
    this.#leaveWholeMaps();
  }

  send(message: ManagementMessage): void {
    this.#sendQueue.send(JSON.stringify(message));
  }

  bye(bye: Omit<Extract<ManagementMessage, { type: "bye" }>, "type">): void {
    this.send({ type: "bye", ...bye });
    this.close();
  }

  drained(): void {
    if (this.#sendQueue.drained() && this.#isDirty) this.#sendSoon();
  }

  close(): void {
    if (this.#isClosed()) return;
    this.#sendQueue.close();
    this.#catchUp.answer(null);
    this.#leaveWholeMaps();
  }

  #isClosed(): boolean {
    return this.#sendQueue.state === "closed";
  }

  #sendSoon(): void {
    if (!this.#isSending && this.#sendQueue.state === "flowing") void this.#sendMaps();
  }

  /** Sends maps while they may have changed and the agent keeps up. Never rejects. */
  async #sendMaps(): Promise<void> {
    this.#isSending = true;
    try {
      while (this.#isDirty && this.#sendQueue.state === "flowing") {
        this.#isDirty = false;
        const map = await this.#options.mapOf(this.#isFirst);
        if (this.#isClosed()) return;
        if (map === undefined) {
          const message = "this machine is not part of the account";
          this.bye({ code: "peer_unknown", message, retry: false });
          return;
        }
        await this.#sendMap(map);
      }
    } catch (cause) {
      this.#options.onFailure(cause);
      this.bye({ code: "unavailable", message: "management cannot make the map now", retry: true });
    } finally {
      this.#isSending = false;
    }
  }

  async #sendMap(map: NetworkMap): Promise<void> {
    const { position, encoder } = this.#options;
    const isFirst = this.#isFirst;
    const before = this.#sentMap;
    this.#isFirst = false;
    if (isFirst && isAhead(position, map)) this.#options.onAhead();
    if (isFirst && !this.#needsWhole && isMapAt(map, position)) {
      this.send({ type: "current", version: map.version });
    } else if (before !== null && !this.#needsWhole && before.epoch === map.epoch) {
      // The agent must learn of a new version even if nothing else changed, since certificates may wait for
      // it.
      if (before.version !== map.version) this.#sendQueue.send(encoder.delta(before, map));
    } else if (!(isFirst && (await this.#sendMissing(map))) && !(await this.#sendWhole(map))) {
      return;
    }
    this.#sentMap = map;
    if (isFirst) this.#options.onFirst();
  }

  /** Sends what the agent's own map lacks. False: it needs a whole one. */
  async #sendMissing(map: NetworkMap): Promise<boolean> {
    const answer = this.#needsWhole ? null : await this.#catchUp.ask(map);
    if (answer === null) return false;
    this.#sendQueue.send(this.#options.encoder.deltaFrom(answer.held, answer.differences, map));
    return true;
  }

  async #sendWhole(map: NetworkMap): Promise<boolean> {
    if (this.#isClosed() || !(await this.#enterWholeMaps())) return false;
    this.#needsWhole = false;
    this.#sendQueue.send(this.#options.encoder.map(map));
    return true;
  }

  /** Waits until a whole map may be sent. False: it may not, and the agent is told to come back. */
  async #enterWholeMaps(): Promise<boolean> {
    // An agent that asks again has no use for the previous map, and must not hold two places.
    this.#leaveWholeMaps();
    const { wholeMaps, retryAfterMs } = this.#options;
    const leave = await wholeMaps.enter(this.peerId);
    if (leave === null) {
      const message = "management is busy";
      this.bye({ code: "busy", message, retry: true, retryAfterMs: retryAfterMs() });
      return false;
    }
    const timer = setTimeout(leave, WHOLE_MS_MAX);
    this.#leaveWholeMaps = () => {
      clearTimeout(timer);
      leave();
    };
    if (this.#isClosed()) this.#leaveWholeMaps();
    return !this.#isClosed();
  }
}
