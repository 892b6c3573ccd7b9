/**
 * Messages between the management processes on one database: which process has which agent's link, what has
 * changed, which connection to end. `postgres/cluster.ts` implements them by tables and notifications.
 *
 * @module
 */
import type { LiveSession } from "../../../wire/agent-sync.ts";
import type { AccountId, PeerId, UserId } from "../../../wire/units.ts";

/** A control link, as its process has last described it. */
export interface LinkState {
  readonly accountId: AccountId;
  readonly peerId: PeerId;
  readonly bootId: string;
  readonly ackedVersion: number;
  readonly sessions: readonly LiveSession[];
}

/** Hears of control links elsewhere: the account, and the people whose sessions they report otherwise now. */
export type ElsewhereListener = (accountId: AccountId, people: readonly UserId[]) => void;

/** A commit of another process. */
export interface AccountNews {
  readonly accountId: AccountId;
  /** The account's new version; 0: the account is gone. Absent: unchanged. */
  readonly version?: number;
  /** Number of its last audit event. Absent: none was added. */
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
  /** HOST:PORT where it takes tunnels. Null: it takes none. */
  readonly address: string | null;
}

/**
 * Which process has which machine's link to the relay: another socket than the control link, maybe elsewhere.
 */
export interface RelayLinks {
  /** This process has the machine's link. The others hear of it soon. */
  announce(accountId: AccountId, peerId: PeerId): void;
  /** This process no longer has the machine's link. */
  withdraw(peerId: PeerId): void;
  /** The other live process that has the link. Throws when the database does not answer. */
  find(accountId: AccountId, peerId: PeerId): Promise<RelayPlace | undefined>;
  /** Calls `listener` when a machine that has a link here has opened one at another process. */
  onTaken(listener: (peerId: PeerId) => void): void;
}

export interface Cluster {
  /** Id of this process; a new one at each start. */
  readonly processId: string;
  readonly relayLinks: RelayLinks;
  /** Tells the others where this process takes tunnels: HOST:PORT. Null: nowhere. */
  setAddress(address: string | null): Promise<void>;
  /** This process has the control link of that agent, in this state. The others hear of it soon. */
  announce(link: LinkState): void;
  /** This process no longer has the agent's control link. */
  withdraw(peerId: PeerId): void;
  /** The agent's control link at another live process. Undefined: none is known. */
  find(peerId: PeerId): LinkState | undefined;
  /** Control links of the account at other live processes. */
  list(accountId: AccountId): LinkState[];
  /** Passes the order to the process that has the link. False: no other process has it. */
  kill(order: KillOrder): boolean;
  /** Calls `listener` when an agent whose link was announced here has opened one at another process. */
  onTaken(listener: (link: LinkState) => void): void;
  /** Calls `listener` when control links at other processes open, close, or report other sessions. */
  onElsewhere(listener: ElsewhereListener): void;
  onKill(listener: (order: KillOrder) => void): void;
  /** Calls `listener` after commits of other processes, also those missed while the database was away. */
  onAccount(listener: (news: AccountNews) => void): void;
  /** Withdraws all links of this process, and leaves. */
  close(): Promise<void>;
}
