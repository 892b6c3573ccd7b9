/**
 * The interface of the agents' links to the rest of management. `hub.ts` implements it.
 *
 * @module
 */
import type { Server, WebSocketHandler } from "bun";
import type { LiveSession } from "../../wire/agent-sync.ts";
import type { AccountId, PeerId, UserId } from "../../wire/units.ts";
import type { UpgradeOrder } from "../../wire/upgrade-report.ts";
import type { Approvals } from "../login/approval.ts";
import type { HandshakeOptions } from "./handshake.ts";
import type { SocketData } from "./link.ts";

/** A live session, and the machine it is on. */
export interface PeerSession {
  readonly peerId: PeerId;
  readonly session: LiveSession;
}

/**
 * Called when machines of an account come, go, or report other sessions. `people` are those whose sessions
 * changed.
 */
export type PresenceListener = (accountId: AccountId, people: readonly UserId[]) => void;

export interface SyncHub {
  /**
   * Answers a request to the sync path. `sourceAddress` is the agent's. Undefined: the connection is a
   * WebSocket now.
   */
  upgrade(request: Request, server: Server<SocketData>, sourceAddress: string): Response | undefined;
  /** Handlers of the agents' WebSockets. Their bounds and time-outs are in `../http-server.ts`. */
  readonly websocket: WebSocketHandler<SocketData>;
  /** Whether the peer has a live link, here or at another process on the database. */
  isConnected(peerId: PeerId): boolean;
  /**
   * Resolves once the peer has acknowledged a map of at least `version`, if it has no link, or after
   * `timeoutMs`.
   */
  waitForAck(peerId: PeerId, version: number, timeoutMs: number): Promise<void>;
  /** Live sessions of an account's machines, as the machines last reported them. */
  sessions(accountId: AccountId): PeerSession[];
  /** Calls `listener` when a machine's link comes or goes, at any process, or its live sessions change. */
  onPresence(listener: PresenceListener): () => void;
  /**
   * Orders a machine to end an SSH connection; `reason` is shown to the person. False: the machine has no
   * link.
   */
  kill(peerId: PeerId, connectionId: string, reason: string): boolean;
  /** Orders a machine to upgrade, if its link is here. */
  order(peerId: PeerId, order: UpgradeOrder): void;
  /** Sets what answers machines' requests for approvals. Until then they are told `unavailable`. */
  serveApprovals(approvals: Approvals): void;
  /** Whether new agents are admitted. False once `close` was called. */
  readonly isOpen: boolean;
  /** Tells every agent to come back later, each at a different time, and closes the links. */
  close(): Promise<void>;
}

export interface SyncHubOptions extends HandshakeOptions {
  /** Whole maps being sent at once. Default 32. */
  readonly wholeMapsMax?: number;
  /** Bytes of audit events accepted from one machine per day. 0: no limit. Default: see `audit-share.ts`. */
  readonly auditShareBytes?: number;
}
