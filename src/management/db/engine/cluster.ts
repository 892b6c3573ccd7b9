/**
 * Messages between the management processes on one database: which process has which agent's link, what
 * changed, which connection to end. `postgres/cluster.ts` implements them with tables and notifications.
 *
 * @module
 */
import type { LiveSession } from "../../../wire/agent-sync.ts";
import type { AccountId, PeerId, UserId } from "../../../wire/units.ts";

/** A control link as its process last described it. */
export interface LinkState {
  readonly accountId: AccountId;
  readonly peerId: PeerId;
  readonly bootId: string;
  readonly ackedVersion: number;
  readonly sessions: readonly LiveSession[];
}

/** Called when control links at other processes change, with the people whose sessions changed. */
export type ElsewhereListener = (accountId: AccountId, people: readonly UserId[]) => void;

/** A commit of another process. */
export interface AccountNews {
  readonly accountId: AccountId;
  /** The account's new version. 0: the account was deleted. Absent: unchanged. */
  readonly version?: number;
  /** Number of the account's last audit event. Absent: none was added. */
  readonly auditSeq?: number;
}

/** Asks the process that has the machine's link to end an SSH connection there. */
export interface KillOrder {
  readonly peerId: PeerId;
  readonly connectionId: string;
  readonly reason: string;
}

/** The process that has a machine's link to the relay. */
export interface RelayPlace {
  readonly processId: string;
  /** HOST:PORT where it accepts tunnels. Null: it accepts none. */
  readonly address: string | null;
}

/**
 * Which process has which machine's relay link. That link is another socket than the control link and may be
 * at another process.
 */
export interface RelayLinks {
  /** Records that this process has the machine's link. Other processes learn of it soon. */
  announce(accountId: AccountId, peerId: PeerId): void;
  /** Records that this process no longer has the machine's link. */
  withdraw(peerId: PeerId): void;
  /** Finds the other live process that has the link. Throws when the database does not answer. */
  find(accountId: AccountId, peerId: PeerId): Promise<RelayPlace | undefined>;
  /** Calls `listener` when a machine that has a link here has opened one at another process. */
  onTaken(listener: (peerId: PeerId) => void): void;
}

export interface Cluster {
  /** Id of this process, new at each start. */
  readonly processId: string;
  readonly relayLinks: RelayLinks;
  /** Tells other processes the HOST:PORT where this one accepts tunnels. Null: nowhere. */
  setAddress(address: string | null): Promise<void>;
  /** Records that this process has the agent's control link, and its state. Others learn of it soon. */
  announce(link: LinkState): void;
  /** Records that this process no longer has the agent's control link. */
  withdraw(peerId: PeerId): void;
  /** The agent's control link at another live process. Undefined: none is known. */
  find(peerId: PeerId): LinkState | undefined;
  /** Control links of the account at other live processes. */
  list(accountId: AccountId): LinkState[];
  /** Passes the order to the process that has the link. False: no other process does. */
  kill(order: KillOrder): boolean;
  /** Calls `listener` when an agent whose link was announced here has opened one at another process. */
  onTaken(listener: (link: LinkState) => void): void;
  /** Calls `listener` when control links at other processes open, close, or report other sessions. */
  onElsewhere(listener: ElsewhereListener): void;
  onKill(listener: (order: KillOrder) => void): void;
  /** Calls `listener` after commits of other processes, including those missed while disconnected. */
  onAccount(listener: (news: AccountNews) => void): void;
  /** Withdraws all links of this process and leaves the cluster. */
  close(): Promise<void>;
}
