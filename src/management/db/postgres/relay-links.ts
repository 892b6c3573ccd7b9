/**
 * The table of machines' relay links. Each process writes its own, and looks up machines that have no link
 * here. A later heartbeat retries a failed write.
 *
 * @module
 */
import { and, eq, inArray, ne, sql } from "drizzle-orm";
import { NOTICE_PEERS_MAX } from "../../../wire/management-notice.ts";
import type { AccountId, PeerId } from "../../../wire/units.ts";
import type { RelayLinks, RelayPlace } from "../engine/cluster.ts";
import type { SqlDatabase } from "../engine/connection.ts";
import { pgClusterSchema } from "./schema.ts";

const FLUSH_MS = 15;
/** Beats between two comparisons of the table with this process's links. */
const AUDIT_BEATS = 10;

export interface RelayLinksDeps {
  readonly processId: string;
  /** Queries on the cluster's own connection. */
  sql(): SqlDatabase;
  /** Queries that do not wait for that connection. */
  read<T>(fn: (sql: SqlDatabase) => Promise<T>): Promise<T>;
  /** Whether a process is known to be dead. */
  isDead(processId: string): boolean;
  /** Tells other processes that these links were opened here. */
  tell(peers: readonly PeerId[]): Promise<void>;
}

export class PostgresRelayLinks implements RelayLinks {
  readonly #deps: RelayLinksDeps;
  readonly #local = new Map<PeerId, AccountId>();
  readonly #dirty = new Set<PeerId>();
  readonly #taken: ((peerId: PeerId) => void)[] = [];
  #flushTimer: ReturnType<typeof setTimeout> | undefined;
  #flushing: Promise<void> | undefined;
  #beats = 0;
  #isClosed = false;

  constructor(deps: RelayLinksDeps) {
    this.#deps = deps;
  }

  announce(accountId: AccountId, peerId: PeerId): void {
    this.#local.set(peerId, accountId);
    this.#touch(peerId);
  }

  withdraw(peerId: PeerId): void {
    if (this.#local.delete(peerId)) this.#touch(peerId);
  }

  onTaken(listener: (peerId: PeerId) => void): void {
    this.#taken.push(listener);
  }

  async find(accountId: AccountId, peerId: PeerId): Promise<RelayPlace | undefined> {
    const { relayLinks, processes } = pgClusterSchema;
    const [row] = await this.#deps.read((database) =>
      database
        .select({ processId: processes.id, address: processes.address })
        .from(relayLinks)
        .innerJoin(processes, eq(processes.id, relayLinks.processId))
        .where(
          and(
            eq(relayLinks.peerId, peerId),
            eq(relayLinks.accountId, accountId),
            ne(processes.id, this.#deps.processId),
          ),
        ),
    );
    return row === undefined || this.#deps.isDead(row.processId) ? undefined : row;
  }

  /** Called with each beat. `isNew`: the table has no row of this process yet or any more. */
  async onBeat(isNew: boolean): Promise<void> {
    if (isNew) for (const peerId of this.#local.keys()) this.#dirty.add(peerId);
    this.#beats += 1;
    if (this.#beats % AUDIT_BEATS === 0) await this.#audit();
    if (this.#dirty.size > 0) this.#schedule();
  }

  /** Handles links that another process opened: older links of these machines here are mostly dead. */
  async onOpenedElsewhere(peerIds: readonly PeerId[]): Promise<void> {
    const here = peerIds.filter((peerId) => this.#local.has(peerId) && !this.#dirty.has(peerId));
    if (here.length === 0) return;
    const { relayLinks } = pgClusterSchema;
    const rows = await this.#deps.read((database) =>
      database
        .select({ peerId: relayLinks.peerId })
        .from(relayLinks)
        .where(and(inArray(relayLinks.peerId, here), ne(relayLinks.processId, this.#deps.processId))),
    );
    for (const { peerId } of rows) for (const listener of this.#taken) listener(peerId);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#flushTimer);
  }

  #touch(peerId: PeerId): void {
    this.#dirty.add(peerId);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isClosed || this.#flushTimer !== undefined || this.#flushing !== undefined) return;
    this.#flushTimer = setTimeout(() => {
      this.#flushTimer = undefined;
      this.#flushing = this.#flush()
        .then(
          () => true,
          () => false, // A later beat retries.
        )
        .then((isDone) => {
          this.#flushing = undefined;
          if (isDone && this.#dirty.size > 0) this.#schedule();
        });
    }, FLUSH_MS);
  }

  async #flush(): Promise<void> {
    const { processId } = this.#deps;
    const peerIds = [...this.#dirty].slice(0, NOTICE_PEERS_MAX);
    const up = peerIds.flatMap((peerId) => {
      const accountId = this.#local.get(peerId);
      return accountId === undefined ? [] : [{ peerId, accountId, processId }];
    });
    const down = peerIds.filter((peerId) => !this.#local.has(peerId));
    for (const peerId of peerIds) this.#dirty.delete(peerId);
    const { relayLinks } = pgClusterSchema;
    const database = this.#deps.sql();
    try {
      if (up.length > 0) {
        const set = { accountId: sql`excluded.account_id`, processId: sql`excluded.process_id` };
        await database.insert(relayLinks).values(up).onConflictDoUpdate({ target: relayLinks.peerId, set });
        await this.#deps.tell(up.map(({ peerId }) => peerId));
      }
      if (down.length > 0) {
        await database
          .delete(relayLinks)
          .where(and(inArray(relayLinks.peerId, down), eq(relayLinks.processId, processId)));
      }
    } catch (cause) {
      for (const peerId of peerIds) this.#dirty.add(peerId);
      throw cause;
    }
  }

  /** Repairs the table: the last process to write a link may not have it. Rewrites rows that nobody holds. */
  async #audit(): Promise<void> {
    const { relayLinks } = pgClusterSchema;
    const rows = await this.#deps
      .sql()
      .select({ peerId: relayLinks.peerId })
      .from(relayLinks)
      .where(eq(relayLinks.processId, this.#deps.processId));
    const written = new Set(rows.map(({ peerId }) => peerId));
    const missing = [...this.#local.keys()].filter((peerId) => !written.has(peerId));
    for (const peerId of written) if (!this.#local.has(peerId)) this.#dirty.add(peerId);
    if (missing.length === 0) return;
    const elsewhere = await this.#deps
      .sql()
      .select({ peerId: relayLinks.peerId })
      .from(relayLinks)
      .where(inArray(relayLinks.peerId, missing));
    const taken = new Set(elsewhere.map(({ peerId }) => peerId));
    for (const peerId of missing) if (!taken.has(peerId)) this.#dirty.add(peerId);
  }
}
