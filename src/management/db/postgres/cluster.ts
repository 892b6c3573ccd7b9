/**
 * Several processes on one PostgreSQL: notifications, a table of links, and a beat that holds them.
 *
 * One connection of its own listens and beats. When it was lost, everything that may have been missed is
 * read anew as soon as it is back. Read `#tick` first.
 *
 * @module
 */
import { and, eq, inArray, ne, sql } from "drizzle-orm";
import type { Clock } from "../../../base/clock.ts";
import { parseJson } from "../../../base/files.ts";
import type { Log } from "../../../base/log.ts";
import { ManagementNotice, NOTICE_PEERS_MAX } from "../../../wire/management-notice.ts";
import type { AccountId, PeerId } from "../../../wire/units.ts";
import type { AccountNews, Cluster, KillOrder, LinkState } from "../cluster.ts";
import type { SqlDatabase } from "../connection.ts";
import { databaseOver, type Sql } from "./connection.ts";
import { postgresCode } from "./errors.ts";
import { PostgresRelayLinks } from "./relay-links.ts";
import { pgClusterSchema, pgSchema } from "./schema.ts";

const CHANNEL = "qufabric";
const BEAT_MS = 1_000;
/** A process whose beat stands still for this long has no agents any more. */
const LEASE_MS = 5_000;
/** After this its row and its links are removed. It makes them again should it live. */
const FORGET_MS = 60_000;
const FLUSH_MS = 15;
/** Characters of a reason that are passed on. */
const REASON_MAX = 1_000;
/** A beat that takes longer is given up with its connection. */
const TICK_MS_MAX = 8_000;

interface RemoteLink extends LinkState {
  readonly processId: string;
}

interface SeenProcess {
  beat: number;
  /** By our own monotonic clock. */
  changedAtMs: number;
}

export interface ClusterDeps {
  readonly processId: string;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Log;
  /** Opens a pool of one connection that hands over notifications. */
  open(onNotice: (payload: string) => void): Sql;
  /** Queries beside that connection. */
  read<T>(fn: (sql: SqlDatabase) => Promise<T>): Promise<T>;
}

/** Joins the others: resolves once this process hears of everything. */
export async function openCluster(deps: ClusterDeps): Promise<Cluster> {
  const cluster = new PostgresCluster(deps);
  await cluster.start();
  return cluster;
}

class PostgresCluster implements Cluster {
  readonly #deps: ClusterDeps;
  #pool: Sql;
  readonly #local = new Map<PeerId, LinkState>();
  readonly #dirty = new Set<PeerId>();
  /** Opened here and not written yet: what the table says of them is older. */
  readonly #unwritten = new Set<PeerId>();
  readonly #remote = new Map<PeerId, RemoteLink>();
  readonly #processes = new Map<string, SeenProcess>();
  /** What was last heard of each account. Null until the first look. */
  #accounts: Map<AccountId, { version: number; auditSeq: number }> | null = null;
  #taken: ((link: LinkState) => void)[] = [];
  #kills: ((order: KillOrder) => void)[] = [];
  #news: ((news: AccountNews) => void)[] = [];
  #tickTimer: ReturnType<typeof setTimeout> | undefined;
  #flushTimer: ReturnType<typeof setTimeout> | undefined;
  #isFlushing = false;
  #isClosed = false;
  #address: string | null = null;
  readonly processId: string;
  readonly relayLinks: PostgresRelayLinks;

  constructor(deps: ClusterDeps) {
    this.#deps = deps;
    this.processId = deps.processId;
    this.#pool = deps.open((payload) => this.#onNotice(payload));
    this.relayLinks = new PostgresRelayLinks({
      processId: deps.processId,
      sql: () => this.#sql(),
      read: deps.read,
      isDead: (processId) => this.#processes.has(processId) && !this.#isAlive(processId),
      tell: (peers) => this.#tell({ type: "relays", by: deps.processId, peers }),
    });
  }

  async start(): Promise<void> {
    try {
      await this.#tick();
    } catch (cause) {
      await this.#pool.end({ timeout: 0 });
      throw cause;
    }
    this.#scheduleTick();
  }

  async setAddress(address: string | null): Promise<void> {
    this.#address = address;
    const { processes } = pgClusterSchema;
    await this.#sql().update(processes).set({ address }).where(eq(processes.id, this.#deps.processId));
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

  find(peerId: PeerId): LinkState | undefined {
    const link = this.#remote.get(peerId);
    return link !== undefined && this.#isAlive(link.processId) ? link : undefined;
  }

  list(accountId: AccountId): LinkState[] {
    return [...this.#remote.values()].filter(
      (link) => link.accountId === accountId && this.#isAlive(link.processId),
    );
  }

  kill(order: KillOrder): boolean {
    const link = this.#remote.get(order.peerId);
    if (link === undefined || !this.#isAlive(link.processId)) return false;
    this.#tell({
      type: "kill",
      to: link.processId,
      ...order,
      reason: order.reason.slice(0, REASON_MAX),
    }).catch((cause: unknown) =>
      this.#deps.log.warn("an order to disconnect could not be passed on", {}, cause),
    );
    return true;
  }

  onTaken(listener: (link: LinkState) => void): void {
    this.#taken.push(listener);
  }

  onKill(listener: (order: KillOrder) => void): void {
    this.#kills.push(listener);
  }

  onAccount(listener: (news: AccountNews) => void): void {
    this.#news.push(listener);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#tickTimer);
    clearTimeout(this.#flushTimer);
    this.relayLinks.close();
    const { processes } = pgClusterSchema;
    const { processId } = this.#deps;
    const leave = async (): Promise<void> => {
      await this.#sql().delete(processes).where(eq(processes.id, processId));
      await this.#tell({ type: "stopped", by: processId });
    };
    // Should that fail, the lease runs out all the same.
    await within(BEAT_MS, leave()).catch(() => {});
    await this.#pool.end({ timeout: 1 });
  }

  #sql(): SqlDatabase {
    return databaseOver(this.#pool, () => true);
  }

  #scheduleTick(): void {
    this.#tickTimer = setTimeout(async () => {
      try {
        await within(TICK_MS_MAX, this.#tick());
      } catch (cause) {
        if (this.#isClosed) return;
        this.#deps.log.warn("the database did not answer", { code: postgresCode(cause) ?? "late" });
        await this.#renew();
      }
      if (!this.#isClosed) this.#scheduleTick();
    }, BEAT_MS);
    this.#tickTimer.unref();
  }

  async #renew(): Promise<void> {
    const old = this.#pool;
    this.#pool = this.#deps.open((payload) => this.#onNotice(payload));
    await old.end({ timeout: 0 }).catch(() => {});
  }

  /** Beats, listens where a new connection does not listen yet, and looks whose beat stands still. */
  async #tick(): Promise<void> {
    const { processes } = pgClusterSchema;
    const { processId, clock } = this.#deps;
    const [own] = await this.#sql()
      .insert(processes)
      .values({ id: processId, beat: 1, address: this.#address })
      .onConflictDoUpdate({
        target: processes.id,
        set: { beat: sql`${processes.beat} + 1`, address: this.#address },
      })
      .returning();
    // New, or taken for dead meanwhile.
    if (own?.beat === 1) for (const peerId of this.#local.keys()) this.#touch(peerId);
    const listening = await this.#pool.unsafe("SELECT pg_listening_channels()");
    if (listening.length === 0) {
      await this.#pool.unsafe(`LISTEN ${CHANNEL}`);
      await this.#lookAtAll();
    }
    const nowMs = clock.monotonicMs();
    for (const { id, beat } of await this.#sql().select().from(processes)) {
      const seen = this.#processes.get(id);
      if (seen === undefined || seen.beat !== beat) this.#processes.set(id, { beat, changedAtMs: nowMs });
      else if (id !== processId && nowMs - seen.changedAtMs > FORGET_MS) await this.#forget(id, beat);
    }
    if (this.#dirty.size > 0) this.#scheduleFlush();
    await this.relayLinks.onBeat(own?.beat === 1);
  }

  async #forget(id: string, beat: number): Promise<void> {
    const { processes } = pgClusterSchema;
    await this.#sql()
      .delete(processes)
      .where(and(eq(processes.id, id), eq(processes.beat, beat)));
    this.#dropProcess(id);
  }

  #dropProcess(id: string): void {
    this.#processes.delete(id);
    for (const [peerId, link] of this.#remote) if (link.processId === id) this.#remote.delete(peerId);
  }

  #isAlive(processId: string): boolean {
    const seen = this.#processes.get(processId);
    return seen !== undefined && this.#deps.clock.monotonicMs() - seen.changedAtMs < LEASE_MS;
  }

  /** Links and accounts as they are: after this, notifications say what changes. */
  async #lookAtAll(): Promise<void> {
    const { agentLinks } = pgClusterSchema;
    const rows = await this.#sql()
      .select()
      .from(agentLinks)
      .where(ne(agentLinks.processId, this.#deps.processId));
    this.#remote.clear();
    for (const row of rows) this.#noteLink(row);
    const { accounts } = pgSchema;
    const states = await this.#sql()
      .select({ id: accounts.id, version: accounts.version, nextAuditSeq: accounts.nextAuditSeq })
      .from(accounts);
    const isFirst = this.#accounts === null;
    this.#accounts ??= new Map();
    for (const { id, version, nextAuditSeq } of states) {
      this.#noteAccount({ id, version, auditSeq: nextAuditSeq - 1 }, isFirst);
    }
  }

  #noteLink(row: RemoteLink): void {
    if (!this.#processes.has(row.processId)) {
      this.#processes.set(row.processId, { beat: 0, changedAtMs: this.#deps.clock.monotonicMs() });
    }
    if (this.#unwritten.has(row.peerId)) return;
    this.#remote.set(row.peerId, row);
    if (!this.#local.delete(row.peerId)) return;
    this.#dirty.delete(row.peerId);
    for (const listener of this.#taken) listener(row);
  }

  #noteAccount(now: { id: AccountId; version: number; auditSeq: number }, isOwn: boolean): void {
    const before = this.#accounts?.get(now.id);
    if (now.version === 0) this.#accounts?.delete(now.id);
    else this.#accounts?.set(now.id, { version: now.version, auditSeq: now.auditSeq });
    if (isOwn) return;
    const news: AccountNews = {
      accountId: now.id,
      ...(before?.version === now.version ? {} : { version: now.version }),
      ...(now.auditSeq === 0 || before?.auditSeq === now.auditSeq ? {} : { auditSeq: now.auditSeq }),
    };
    for (const listener of this.#news) listener(news);
  }

  #onNotice(payload: string): void {
    const parsed = ManagementNotice.safeParse(parseJson(payload));
    if (!parsed.success) return;
    const notice = parsed.data;
    const isOwn = "by" in notice && notice.by === this.#deps.processId;
    if (notice.type === "account") this.#noteAccount(notice, isOwn);
    else if (notice.type === "kill") {
      if (notice.to === this.#deps.processId) for (const listener of this.#kills) listener(notice);
    } else if (isOwn) return;
    else if (notice.type === "stopped") this.#dropProcess(notice.by);
    else if (notice.type === "relays") this.relayLinks.onOpenedElsewhere(notice.peers).catch(() => {});
    else this.#lookAtLinks(notice.peers, notice.by).catch(() => {}); // The next full look mends it.
  }

  async #lookAtLinks(peerIds: readonly PeerId[], processId: string): Promise<void> {
    const { agentLinks } = pgClusterSchema;
    const rows = await this.#sql()
      .select()
      .from(agentLinks)
      .where(inArray(agentLinks.peerId, [...peerIds]));
    const found = new Map(rows.map((row) => [row.peerId, row]));
    for (const peerId of peerIds) {
      const row = found.get(peerId);
      if (row !== undefined && row.processId !== this.#deps.processId) this.#noteLink(row);
      else if (this.#remote.get(peerId)?.processId === processId) this.#remote.delete(peerId);
    }
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
        .catch(() => false) // What is left goes with the next beat.
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
      await this.#pool.begin(async (tx) => {
        const database = databaseOver(tx, () => true);
        await writeLinks(database, processId, { fresh, known, down });
        const notice: ManagementNotice = { type: "links", by: processId, peers: peerIds };
        await tx.unsafe("SELECT pg_notify($1, $2)", [CHANNEL, JSON.stringify(notice)]);
      });
      // Unless it was opened anew meanwhile, the table now says what is here.
      for (const { peerId, bootId } of fresh) {
        if (this.#local.get(peerId)?.bootId === bootId) this.#unwritten.delete(peerId);
      }
    } catch (cause) {
      for (const peerId of peerIds) this.#dirty.add(peerId);
      throw cause;
    }
  }

  async #tell(notice: ManagementNotice): Promise<void> {
    await this.#pool.unsafe("SELECT pg_notify($1, $2)", [CHANNEL, JSON.stringify(notice)]);
  }
}

interface LinkChanges {
  /** Opened here: taken from whoever had them. */
  readonly fresh: readonly RemoteLink[];
  /** Changed here: written unless somebody has taken them meanwhile. */
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

/** Rejects when `work` takes longer than `ms`. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("late")), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
