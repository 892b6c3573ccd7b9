/**
 * An agent's link after the agent has proven itself: what management sends on it, in which order, and how
 * much may wait unread.
 *
 * Whenever it hears that the map may have changed, a link sends the map as it is then. Changes that come
 * while one is being sent, or while the agent is slow to read, are sent together.
 *
 * @module
 */
import type { ServerWebSocket } from "bun";
import type { AgentParts } from "../../wire/agent-parts.ts";
import type { LiveSession, ManagementMessage } from "../../wire/agent-sync.ts";
import type { MapDifferences } from "../../wire/map-outline.ts";
import type { NetworkMap } from "../../wire/network-map.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import type { MapEncoder } from "../maps/encode.ts";
import { createCatchUp, isAhead, isMapAt, type Position } from "./catch-up.ts";
import type { KeyedSemaphore } from "./keyed-semaphore.ts";

/** Bytes unread by the agent above which nothing more is sent to it until it has caught up. */
const UNREAD_BYTES_MAX = 1024 * 1024;
/** How long an agent may take to catch up before its link is dropped. */
const SLOW_MS_MAX = 30_000;
/** A whole map counts as under way until it is acknowledged, at most this long. */
const WHOLE_MS_MAX = 10_000;

/** What is kept beside a control WebSocket, from its request to its end. */
export interface SocketData {
  readonly kind: "agent-sync";
  readonly sourceAddress: string;
  /** The account that the request asked for. Null: it named none, and gets the first. */
  readonly wantedAccountId: string | null;
  /** 32 random bytes, base64url: what the agent has to sign. */
  challenge: string;
  /** Empty until the agent was told which account this is. */
  accountId: AccountId;
  /** Whether it is counted among those that have not proven themselves. */
  isUnproven: boolean;
  /** Whether its first map, or what stands for one, is on its way. */
  isServed: boolean;
  /** Ends the socket when the proof does not come in time. */
  timer: ReturnType<typeof setTimeout> | null;
  /** Null until the agent has proven itself. */
  link: AgentLink | null;
  /** Leaves the semaphore of the handshake; once or more. */
  leave: () => void;
  /** Messages that wait for the one before them; bounded. */
  queued: number;
  /** Settles when the last of them has been handled. */
  handling: Promise<void>;
  readonly parts: AgentParts;
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
  /** The agent asks for the whole map: what it has is of no use. */
  needWhole(): void;
  /** The agent has been asked what it has instead of the map. */
  differ(differences: MapDifferences): void;
  /** The agent has this version in effect. */
  acknowledge(version: number): void;
  send(message: ManagementMessage): void;
  /** Says why, then closes. */
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
  /** What the agent has when it comes. */
  readonly position: Position;
  /** The agent has a newer map than there is: an older copy of the data was put back. */
  onAhead(): void;
  readonly encoder: MapEncoder;
  /** How many whole maps may be under way at once, over all links: one of each. */
  readonly wholeMaps: KeyedSemaphore;
  /** How many agents may be asked at once what they have. */
  readonly asking: KeyedSemaphore;
  /** When somebody for whom there is no room may try again, in milliseconds. */
  retryAfterMs(): number;
  /** The map; `isFirst`: with all that is committed, else with what was heard of. */
  mapOf(isFirst: boolean): Promise<NetworkMap | undefined>;
  /**
   * The first map, that there is none to send, or the question what there is, is on its way. Once or more.
   */
  onFirst(): void;
  onFailure(cause: unknown): void;
}

export function createLink(options: LinkOptions): AgentLink {
  const { socket } = options;
  let isDirty = false;
  let isRunning = false;
  let isSlow = false;
  let isClosed = false;
  let slowTimer: ReturnType<typeof setTimeout> | undefined;
  /** Until the first map, what the agent said it has decides between "current", a delta and a map. */
  let isFirst = true;
  /** Null: none on this link yet. */
  let sent: NetworkMap | null = null;
  let needsWhole = false;
  let ackedVersion = 0;
  let wholeDone = (): void => {};
  const catchUp = createCatchUp({ ...options, send, onAsked: () => options.onFirst() });

  function send(message: ManagementMessage): void {
    sendText(JSON.stringify(message));
  }

  function sendText(text: string): void {
    if (isClosed) return;
    // 0: dropped by the socket's own bound. Whatever follows would not fit on what is missing.
    if (socket.send(text) === 0) {
      link.close();
      return;
    }
    if (socket.getBufferedAmount() <= UNREAD_BYTES_MAX || isSlow) return;
    isSlow = true;
    slowTimer = setTimeout(() => link.close(), SLOW_MS_MAX);
  }

  async function run(): Promise<void> {
    isRunning = true;
    try {
      while (isDirty && !isSlow && !isClosed) {
        isDirty = false;
        const map = await options.mapOf(isFirst);
        if (isClosed) return;
        if (map === undefined) {
          const message = "this machine is not part of the account";
          link.bye({ code: "peer_unknown", message, retry: false });
          return;
        }
        await sendMap(map);
      }
    } catch (cause) {
      options.onFailure(cause);
      link.bye({ code: "unavailable", message: "management cannot make the map now", retry: true });
    } finally {
      isRunning = false;
    }
  }

  async function sendMap(map: NetworkMap): Promise<void> {
    const { position, encoder } = options;
    const wasFirst = isFirst;
    isFirst = false;
    if (wasFirst && isAhead(position, map)) options.onAhead();
    if (wasFirst && !needsWhole && isMapAt(map, position)) {
      send({ type: "current", version: map.version });
    } else if (sent !== null && !needsWhole && sent.epoch === map.epoch) {
      // Nothing but the version: the agent has to hear of it all the same, others wait for it.
      if (sent.version !== map.version) sendText(encoder.delta(sent, map));
    } else if (!(wasFirst && (await sendMissing(map))) && !(await sendWhole(map))) {
      return;
    }
    sent = map;
    if (wasFirst) options.onFirst();
  }

  /** What the agent's own map lacks. False: it takes a whole one. */
  async function sendMissing(map: NetworkMap): Promise<boolean> {
    const found = needsWhole ? null : await catchUp.ask(map);
    if (found === null) return false;
    sendText(options.encoder.deltaFrom(found.held, found.differences, map));
    return true;
  }

  async function sendWhole(map: NetworkMap): Promise<boolean> {
    if (isClosed || !(await startWhole())) return false;
    needsWhole = false;
    sendText(options.encoder.map(map));
    return true;
  }

  /** Waits until a whole map may be sent. False: it may not, and the agent is told to come back. */
  async function startWhole(): Promise<boolean> {
    // Whoever asks again has no more use for the one before, and holds no second place by it.
    wholeDone();
    const leave = await options.wholeMaps.enter(options.peerId);
    if (leave === null) {
      link.bye({
        code: "busy",
        message: "management is busy",
        retry: true,
        retryAfterMs: options.retryAfterMs(),
      });
      return false;
    }
    const timer = setTimeout(leave, WHOLE_MS_MAX);
    wholeDone = () => {
      clearTimeout(timer);
      leave();
    };
    if (isClosed) wholeDone();
    return !isClosed;
  }

  const link: AgentLink = {
    accountId: options.accountId,
    peerId: options.peerId,
    name: options.name,
    bootId: options.bootId,
    get ackedVersion() {
      return ackedVersion;
    },
    sessions: [],
    refresh() {
      isDirty = true;
      if (!isRunning && !isSlow && !isClosed) void run();
    },
    needWhole() {
      needsWhole = true;
      catchUp.answer(null);
      link.refresh();
    },
    differ: (differences) => catchUp.answer(differences),
    acknowledge(version) {
      ackedVersion = version;
      wholeDone();
    },
    send,
    bye(bye) {
      send({ type: "bye", ...bye });
      link.close();
    },
    drained() {
      if (!isSlow || socket.getBufferedAmount() > UNREAD_BYTES_MAX) return;
      isSlow = false;
      clearTimeout(slowTimer);
      if (isDirty && !isRunning) void run();
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      clearTimeout(slowTimer);
      catchUp.answer(null);
      wholeDone();
      socket.close();
    },
  };
  return link;
}
