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

/** Hears that machines of an account came, went, or have other sessions, and whose these are. */
export type PresenceListener = (accountId: AccountId, people: readonly UserId[]) => void;

export interface SyncHub {
  /** Answers a request to the sync path; `sourceAddress` is the agent's. Undefined: it is a WebSocket now. */
  upgrade(request: Request, server: Server<SocketData>, sourceAddress: string): Response | undefined;
  /** What happens on the agents' WebSockets. Its bounds and time-outs are those of `../httpServer.ts`. */
  readonly websocket: WebSocketHandler<SocketData>;
  /** Whether the peer has a live link, here or at another process on the database. */
  isConnected(peerId: PeerId): boolean;
  /**
   * Resolves once the peer has acknowledged a map of at least `version`; also when it has no link, and after
   * `timeoutMs`.
   */
  waitForAck(peerId: PeerId, version: number, timeoutMs: number): Promise<void>;
  /** Live sessions of an account's machines, as the machines last reported them. */
  sessions(accountId: AccountId): PeerSession[];
  /** Calls `listener` when a machine's link comes or goes, at any process, or its live sessions change. */
  onPresence(listener: PresenceListener): () => void;
  /** Asks a machine to end an SSH connection; `reason` is shown to the person. False: it has no link. */
  kill(peerId: PeerId, connectionId: string, reason: string): boolean;
  /** Tells a machine to upgrade, if its link is here and it takes orders. */
  order(peerId: PeerId, order: UpgradeOrder): void;
  /** Sets who answers machines that ask for approvals. Until then they are told `unavailable`. */
  serveApprovals(approvals: Approvals): void;
  /** Whether new agents are let in. False once `close` was called. */
  readonly isOpen: boolean;
  /** Tells every agent to come back later, each at another time, and closes the links. */
  close(): Promise<void>;
}

export interface SyncHubOptions extends HandshakeOptions {
  /** Whole maps on their way at once. Default 32. */
  readonly wholeMapsMax?: number;
  /** Bytes of audit events that are taken of one machine in a day; 0: any. Default: see `audit-share.ts`. */
  readonly auditShareBytes?: number;
}
