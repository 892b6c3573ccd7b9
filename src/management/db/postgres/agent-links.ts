/**
 * The table of agents' control links at all processes. Each process writes its own and reads the others'.
 *
 * Changes are batched for `FLUSH_MS` and written together with a notice that names the agents.
 *
 * @module
 */
import { and, eq, inArray, ne, sql } from "drizzle-orm";
import { type ManagementNotice, NOTICE_PEERS_MAX } from "../../../wire/management-notice.ts";
import type { AccountId, PeerId } from "../../../wire/units.ts";
import { changedPeople } from "../../contracts/changed-people.ts";
import type { ElsewhereListener, LinkState } from "../engine/cluster.ts";
import type { SqlDatabase } from "../engine/connection.ts";
import type { SeenProcesses } from "./processes.ts";
import { pgClusterSchema } from "./schema.ts";

const FLUSH_MS = 15;

/** A link that another process has. */
export interface RemoteLink extends LinkState {
  readonly processId: string;
}

export interface AgentLinksDeps {
  readonly processId: string;
  readonly processes: SeenProcesses;
  sql(): SqlDatabase;
  /** Runs `fn` and sends the notice in one transaction. Other processes receive it at the commit. */
  write(notice: ManagementNotice, fn: (database: SqlDatabase) => Promise<void>): Promise<void>;
}

export class AgentLinks {
  readonly #deps: AgentLinksDeps;
  readonly #local = new Map<PeerId, LinkState>();
  readonly #dirty = new Set<PeerId>();
  /** Links opened here and not written yet. What the table has of them is older. */
  readonly #unwritten = new Set<PeerId>();
  readonly #remote = new Map<PeerId, RemoteLink>();
  #taken: ((link: LinkState) => void)[] = [];
  #elsewhere: ElsewhereListener[] = [];
  #flushTimer: ReturnType<typeof setTimeout> | undefined;
  #isFlushing = false;
  #isClosed = false;

  constructor(deps: AgentLinksDeps) {
    this.#deps = deps;
  }

  announce(link: LinkState): void {
    if (!this.#local.has(link.peerId)) this.#unwritten.add(link.peerId);
    this.#local.set(link.peerId, link);
    this.#remote.delete(link.peerId);
    this.#touch(link.peerId);
  }

  withdraw(peerId: PeerId): void {
    this.#unwritten.delete(peerId);
    if (this.#local.delete(peerId)) this.#touch(peerId);
  }

  /** The link at another live process. */
  find(peerId: PeerId): RemoteLink | undefined {
    const link = this.#remote.get(peerId);
    return link !== undefined && this.#deps.processes.isAlive(link.processId) ? link : undefined;
  }

  list(accountId: AccountId): LinkState[] {
    const { processes } = this.#deps;
    return [...this.#remote.values()].filter(
      (link) => link.accountId === accountId && processes.isAlive(link.processId),
    );
  }

  onTaken(listener: (link: LinkState) => void): void {
    this.#taken.push(listener);
  }

  onElsewhere(listener: ElsewhereListener): void {
    this.#elsewhere.push(listener);
  }

  /** Writes all links again, because this process is new or the others took it for dead. */
  announceAll(): void {
    for (const peerId of this.#local.keys()) this.#touch(peerId);
  }

  /** Retries failed writes. Called with each beat. */
  onBeat(): void {
    if (this.#dirty.size > 0) this.#scheduleFlush();
  }

  /** Reads all links. From then on, notices tell what changes. */
  async lookAtAll(): Promise<void> {
    const { agentLinks } = pgClusterSchema;
    const rows = await this.#deps
      .sql()
      .select()
      .from(agentLinks)
      .where(ne(agentLinks.processId, this.#deps.processId));
    this.#remote.clear();
    for (const row of rows) this.#note(row);
  }

  /** Rereads links after another process's notice that they changed. */
  async onChangedElsewhere(peerIds: readonly PeerId[], processId: string): Promise<void> {
    const { agentLinks } = pgClusterSchema;
    const rows = await this.#deps
      .sql()
      .select()
      .from(agentLinks)
      .where(inArray(agentLinks.peerId, [...peerIds]));
    const found = new Map(rows.map((row) => [row.peerId, row]));
    for (const peerId of peerIds) {
      const row = found.get(peerId);
      if (row !== undefined && row.processId !== this.#deps.processId) this.#note(row);
      else if (this.#remote.get(peerId)?.processId === processId) this.#forget(peerId);
    }
  }

  dropProcess(id: string): void {
    for (const [peerId, link] of this.#remote) if (link.processId === id) this.#forget(peerId);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#flushTimer);
  }

  #note(row: RemoteLink): void {
    this.#deps.processes.mention(row.processId);
    if (this.#unwritten.has(row.peerId)) return;
    const before = this.#remote.get(row.peerId);
    this.#remote.set(row.peerId, row);
    this.#tell(row.accountId, before, row);
    if (!this.#local.delete(row.peerId)) return;
    this.#dirty.delete(row.peerId);
    for (const listener of this.#taken) listener(row);
  }

  #forget(peerId: PeerId): void {
    const before = this.#remote.get(peerId);
    this.#remote.delete(peerId);
    if (before !== undefined) this.#tell(before.accountId, before, undefined);
  }

  #tell(accountId: AccountId, before: RemoteLink | undefined, now: RemoteLink | undefined): void {
    const people = changedPeople(before?.sessions ?? [], now?.sessions ?? []);
    for (const listener of this.#elsewhere) listener(accountId, people);
  }

  #touch(peerId: PeerId): void {
    this.#dirty.add(peerId);
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#isFlushing || this.#isClosed || this.#flushTimer !== undefined) return;
    this.#flushTimer = setTimeout(() => {
      this.#flushTimer = undefined;
      this.#isFlushing = true;
      this.#flush()
        .then(() => true)
        .catch(() => false) // The next beat retries.
        .then((isDone) => {
          this.#isFlushing = false;
          if (isDone && this.#dirty.size > 0) this.#scheduleFlush();
        });
    }, FLUSH_MS);
  }

  async #flush(): Promise<void> {
    const peerIds = [...this.#dirty].slice(0, NOTICE_PEERS_MAX);
    const { processId } = this.#deps;
    const up = peerIds
      .flatMap((peerId) => this.#local.get(peerId) ?? [])
      .map((link) => ({ ...link, processId }));
    const fresh = up.filter(({ peerId }) => this.#unwritten.has(peerId));
    const known = up.filter(({ peerId }) => !this.#unwritten.has(peerId));
    const down = peerIds.filter((peerId) => !this.#local.has(peerId));
    for (const peerId of peerIds) this.#dirty.delete(peerId);
    try {
      await this.#deps.write({ type: "links", by: processId, peers: peerIds }, (database) =>
        writeLinks(database, processId, { fresh, known, down }),
      );
      // The table is up to date now, unless the link was reopened meanwhile.
      for (const { peerId, bootId } of fresh) {
        if (this.#local.get(peerId)?.bootId === bootId) this.#unwritten.delete(peerId);
      }
    } catch (cause) {
      for (const peerId of peerIds) this.#dirty.add(peerId);
      throw cause;
    }
  }
}

interface LinkChanges {
  /** Opened here: overwrite another process's row. */
  readonly fresh: readonly RemoteLink[];
  /** Changed here: written unless another process has taken the row meanwhile. */
  readonly known: readonly RemoteLink[];
  readonly down: readonly PeerId[];
}

async function writeLinks(
  database: SqlDatabase,
  processId: string,
  { fresh, known, down }: LinkChanges,
): Promise<void> {
  const { agentLinks } = pgClusterSchema;
  const set = {
    accountId: sql`excluded.account_id`,
    processId: sql`excluded.process_id`,
    bootId: sql`excluded.boot_id`,
    ackedVersion: sql`excluded.acked_version`,
    sessions: sql`excluded.sessions`,
  };
  const target = agentLinks.peerId;
  if (fresh.length > 0) {
    await database
      .insert(agentLinks)
      .values([...fresh])
      .onConflictDoUpdate({ target, set });
  }
  if (known.length > 0) {
    await database
      .insert(agentLinks)
      .values([...known])
      .onConflictDoUpdate({ target, set, setWhere: eq(agentLinks.processId, processId) });
  }
  if (down.length === 0) return;
  await database
    .delete(agentLinks)
    .where(and(inArray(agentLinks.peerId, [...down]), eq(agentLinks.processId, processId)));
}
