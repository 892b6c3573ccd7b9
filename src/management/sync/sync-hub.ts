/**
 * What the rest of management asks of the agents' links; `hub.ts` does it.
 *
 * @module
 */
import type { Server, WebSocketHandler } from "bun";
import type { LiveSession } from "../../wire/agent-sync.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import type { Approvals } from "../login/approval.ts";
import type { HandshakeOptions } from "./handshake.ts";
import type { SocketData } from "./link.ts";

/** A live session with the machine it is on. */
export interface PeerSession {
  readonly peerId: PeerId;
  readonly session: LiveSession;
}

export interface SyncHub {
  /** Answers a request to the sync path. Undefined: it is a WebSocket now. */
  upgrade(request: Request, server: Server<SocketData>, sourceAddress: string): Response | undefined;
  readonly websocket: WebSocketHandler<SocketData>;
  /** Whether the peer has a live link here. */
  isConnected(peerId: PeerId): boolean;
  /** Resolves once the peer has said that it has this version, has no link, or after `timeoutMs`. */
  waitForAck(peerId: PeerId, version: number, timeoutMs: number): Promise<void>;
  /** Live sessions of an account's machines, as last told. */
  sessions(accountId: AccountId): PeerSession[];
  /** Ends a connection on a machine. False when that machine has no link. */
  kill(peerId: PeerId, connectionId: string, reason: string): boolean;
  /** Who answers machines that ask for approvals; until then they hear that it can not be done. */
  serveApprovals(approvals: Approvals): void;
  /** Whether new agents are taken: not once it stops. */
  readonly isOpen: boolean;
  /** Says goodbye to all, with the request to come back. */
  close(): Promise<void>;
}

export interface SyncHubOptions extends HandshakeOptions {
  /** Whole maps on their way at once. Default 32. */
  readonly wholeMapsMax?: number;
}
