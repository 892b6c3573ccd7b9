/**
 * One agent's link: what goes out on it, in which order, and within which bounds.
 *
 * A link sends the map as it is now whenever told that it may have changed. Changes that come while one
 * is being sent, or while the agent is slow to read, become one.
 *
 * @module
 */

import type { ServerWebSocket } from "bun";
import { diffMaps } from "../../policy/map-delta.ts";
import type { AgentParts } from "../../wire/agent-parts.ts";
import type { LiveSession, ManagementMessage } from "../../wire/agent-sync.ts";
import type { NetworkMap } from "../../wire/network-map.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";

/** Bytes unread by the agent above which nothing more is sent to it until it has caught up. */
const UNREAD_BYTES_MAX = 1024 * 1024;
/** How long an agent may take to catch up before its link is dropped. */
const SLOW_MS_MAX = 30_000;

/** What a socket is before and after its agent has proven itself. */
export interface SocketData {
  readonly kind: "agent-sync";
  readonly sourceAddress: string;
  readonly wantedAccountId: string | null;
  challenge: string;
  accountId: AccountId;
  timer: ReturnType<typeof setTimeout> | null;
  link: AgentLink | null;
  /** Frames that wait for the one before; bounded. */
  queued: number;
  handling: Promise<void>;
  readonly parts: AgentParts;
}

export interface AgentLink {
  readonly accountId: AccountId;
  readonly peerId: PeerId;
  readonly name: string;
  readonly bootId: string;
  /** The map as last sent. Null: the whole is due. */
  sent: NetworkMap | null;
  ackedVersion: number;
  sessions: readonly LiveSession[];
  /** The map may have changed: sends what is new, soon. */
  refresh(): void;
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
  /** The agent's map as it says it has it, where we know that one. */
  readonly known: NetworkMap | null;
  readonly position: { readonly epoch: number; readonly version: number };
  mapOf(): Promise<NetworkMap | undefined>;
  onFailure(cause: unknown): void;
}

export function createLink(options: LinkOptions): AgentLink {
  const { socket } = options;
  let isDirty = false;
  let isRunning = false;
  let isSlow = false;
  let isClosed = false;
  let slowTimer: ReturnType<typeof setTimeout> | undefined;
  /** Until the first map, what the agent said it has decides between "current" and a map. */
  let isFirst = true;

  function send(message: ManagementMessage): void {
    if (isClosed) return;
    // 0: dropped by the socket's own bound. Whatever follows would not fit on what is missing.
    if (socket.send(JSON.stringify(message)) === 0) {
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
        const map = await options.mapOf();
        if (isClosed) return;
        if (map === undefined) {
          link.bye({
            code: "peer_unknown",
            message: "this machine is not part of the account",
            retry: false,
          });
          return;
        }
        sendMap(map);
      }
    } catch (cause) {
      options.onFailure(cause);
      link.bye({ code: "unavailable", message: "management can not make the map now", retry: true });
    } finally {
      isRunning = false;
    }
  }

  function sendMap(map: NetworkMap): void {
    const { position } = options;
    const before = link.sent;
    const wasFirst = isFirst;
    isFirst = false;
    link.sent = map;
    if (wasFirst && position.epoch === map.epoch && position.version === map.version) {
      send({ type: "current", version: map.version });
    } else if (before === null || before.epoch !== map.epoch) {
      send({ type: "map", map });
    } else if (before.version !== map.version) {
      // Nothing but the version: the agent has to hear of it all the same, others wait for it.
      const delta = diffMaps(before, map) ?? { fromVersion: before.version, toVersion: map.version };
      send({ type: "delta", delta });
    }
  }

  const link: AgentLink = {
    accountId: options.accountId,
    peerId: options.peerId,
    name: options.name,
    bootId: options.bootId,
    sent: options.known,
    ackedVersion: options.known?.version ?? 0,
    sessions: [],
    refresh() {
      isDirty = true;
      if (!isRunning && !isSlow && !isClosed) void run();
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
      socket.close();
    },
  };
  return link;
}
