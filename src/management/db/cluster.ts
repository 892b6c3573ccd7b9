/**
 * What the management processes on one database tell each other: who has which agent, what changed,
 * whom to disconnect. The database only carries it; `postgres/cluster.ts` says how.
 *
 * @module
 */
import type { LiveSession } from "../../wire/agent-sync.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";

/** A control link as its process last told of it. */
export interface LinkState {
  readonly accountId: AccountId;
  readonly peerId: PeerId;
  readonly bootId: string;
  readonly ackedVersion: number;
  readonly sessions: readonly LiveSession[];
}

export interface AccountNews {
  readonly accountId: AccountId;
  /** 0: the account is gone. */
  readonly version?: number;
  readonly auditSeq?: number;
}

export interface KillOrder {
  readonly peerId: PeerId;
  readonly connectionId: string;
  readonly reason: string;
}

/** Where a machine's link to the relay is. */
export interface RelayPlace {
  readonly processId: string;
  /** HOST:PORT for other processes. Null: it takes no streams of theirs. */
  readonly address: string | null;
}

/** Links to the relay; they are other sockets than control links and may be at other processes. */
export interface RelayLinks {
  /** This process has the machine's link. The others hear of it soon. */
  announce(accountId: AccountId, peerId: PeerId): void;
  /** It has it no longer. */
  withdraw(peerId: PeerId): void;
  /** The other process that has it and lives. Throws when the database does not answer. */
  find(accountId: AccountId, peerId: PeerId): Promise<RelayPlace | undefined>;
  /** Called when another process has opened a link of a machine that has one here. */
  onTaken(listener: (peerId: PeerId) => void): void;
}

export interface Cluster {
  /** Of this process; a new one at each start. */
  readonly processId: string;
  readonly relayLinks: RelayLinks;
  /** Tells the others where they reach this process: HOST:PORT. Null: they do not. */
  setAddress(address: string | null): Promise<void>;
  /** This process has the link of that agent, as it is now. The others hear of it soon. */
  announce(link: LinkState): void;
  /** It has it no longer. */
  withdraw(peerId: PeerId): void;
  /** The live link that another process has. */
  find(peerId: PeerId): LinkState | undefined;
  /** Live links that other processes have. */
  list(accountId: AccountId): LinkState[];
  /** Passes the order to whoever has the link. False when no other process has it. */
  kill(order: KillOrder): boolean;
  /** Called when another process has taken over a link that was announced here. */
  onTaken(listener: (link: LinkState) => void): void;
  onKill(listener: (order: KillOrder) => void): void;
  /** Called for commits of other processes, and for what was missed while the database was away. */
  onAccount(listener: (news: AccountNews) => void): void;
  /** Gives up all links. */
  close(): Promise<void>;
}
