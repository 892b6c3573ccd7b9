/**
 * The cluster of management processes on one PostgreSQL: notifications, tables of links, and heartbeats.
 *
 * A dedicated connection listens and beats. After a reconnect, the process rereads everything that it may
 * have missed. `processes.ts` tracks which processes live, `agent-links.ts` which has which agent. Read
 * `#tick` first.
 *
 * @module
 */
import { and, eq, sql } from "drizzle-orm";
import type { Clock } from "../../../base/clock.ts";
import { parseJson } from "../../../base/files.ts";
import type { Log } from "../../../base/log.ts";
import { ManagementNotice } from "../../../wire/management-notice.ts";
import type { AccountId, PeerId } from "../../../wire/units.ts";
import type { AccountNews, Cluster, ElsewhereListener, KillOrder, LinkState } from "../engine/cluster.ts";
import type { SqlDatabase } from "../engine/connection.ts";
import { postgresCode } from "../engine/driver-code.ts";
import { AgentLinks } from "./agent-links.ts";
import { databaseOver, type Sql } from "./connection.ts";
import { createSeenProcesses, type SeenProcesses } from "./processes.ts";
import { PostgresRelayLinks } from "./relay-links.ts";
import { pgClusterSchema, pgSchema } from "./schema.ts";

const CHANNEL = "qufabric";
const BEAT_MS = 1_000;
/** A longer reason is cut to this many characters. */
const REASON_MAX = 1_000;
/** A beat that takes longer is abandoned, and its connection with it. */
const TICK_MS_MAX = 8_000;

export interface ClusterDeps {
  readonly processId: string;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Log;
  /** Opens a pool of one connection that delivers notifications. */
  open(onNotice: (payload: string) => void): Sql;
  /** Runs queries on other connections than that one. */
  read<T>(fn: (sql: SqlDatabase) => Promise<T>): Promise<T>;
}

/** Joins the cluster. Resolves once this process receives every notice. */
export async function openCluster(deps: ClusterDeps): Promise<Cluster> {
  const cluster = new PostgresCluster(deps);
  await cluster.start();
  return cluster;
}

class PostgresCluster implements Cluster {
  readonly #deps: ClusterDeps;
  #pool: Sql;
  readonly #processes: SeenProcesses;
  readonly #links: AgentLinks;
  /** The last known state of each account. Null until the first full read. */
  #accounts: Map<AccountId, { version: number; auditSeq: number }> | null = null;
  #kills: ((order: KillOrder) => void)[] = [];
  #news: ((news: AccountNews) => void)[] = [];
  #tickTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #address: string | null = null;
  readonly processId: string;
  readonly relayLinks: PostgresRelayLinks;

  constructor(deps: ClusterDeps) {
    this.#deps = deps;
    this.processId = deps.processId;
    this.#pool = deps.open((payload) => this.#onNotice(payload));
    this.#processes = createSeenProcesses(deps.clock);
    this.#links = new AgentLinks({
      processId: deps.processId,
      processes: this.#processes,
      sql: () => this.#sql(),
      write: (notice, fn) => this.#write(notice, fn),
    });
    this.relayLinks = new PostgresRelayLinks({
      processId: deps.processId,
      sql: () => this.#sql(),
      read: deps.read,
      isDead: (processId) => this.#processes.isDead(processId),
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
    this.#links.announce(link);
  }

  withdraw(peerId: PeerId): void {
    this.#links.withdraw(peerId);
  }

  find(peerId: PeerId): LinkState | undefined {
    return this.#links.find(peerId);
  }

  list(accountId: AccountId): LinkState[] {
    return this.#links.list(accountId);
  }

  kill(order: KillOrder): boolean {
    const link = this.#links.find(order.peerId);
    if (link === undefined) return false;
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
    this.#links.onTaken(listener);
  }

  onElsewhere(listener: ElsewhereListener): void {
    this.#links.onElsewhere(listener);
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
    this.#links.close();
    this.relayLinks.close();
    const { processes } = pgClusterSchema;
    const { processId } = this.#deps;
    const leave = async (): Promise<void> => {
      await this.#sql().delete(processes).where(eq(processes.id, processId));
      await this.#tell({ type: "stopped", by: processId });
    };
    // If that fails, the lease runs out.
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

  /** Beats, starts listening on a new connection, and removes processes whose beat stopped long ago. */
  async #tick(): Promise<void> {
    const { processes } = pgClusterSchema;
    const { processId } = this.#deps;
    const [own] = await this.#sql()
      .insert(processes)
      .values({ id: processId, beat: 1, address: this.#address })
      .onConflictDoUpdate({
        target: processes.id,
        set: { beat: sql`${processes.beat} + 1`, address: this.#address },
      })
      .returning();
    const isNew = own?.beat === 1;
    if (isNew) this.#links.announceAll();
    const listening = await this.#pool.unsafe("SELECT pg_listening_channels()");
    if (listening.length === 0) {
      await this.#pool.unsafe(`LISTEN ${CHANNEL}`);
      await this.#lookAtAll();
    }
    for (const { id, beat } of await this.#sql().select().from(processes)) {
      if (this.#processes.beat(id, beat) && id !== processId) await this.#forget(id, beat);
    }
    this.#links.onBeat();
    await this.relayLinks.onBeat(isNew);
  }

  async #forget(id: string, beat: number): Promise<void> {
    const { processes } = pgClusterSchema;
    await this.#sql()
      .delete(processes)
      .where(and(eq(processes.id, id), eq(processes.beat, beat)));
    this.#dropProcess(id);
  }

  #dropProcess(id: string): void {
    this.#processes.drop(id);
    this.#links.dropProcess(id);
  }

  /** Reads all links and accounts. From then on, notifications tell what changes. */
  async #lookAtAll(): Promise<void> {
    await this.#links.lookAtAll();
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
    // A failure here is repaired by the next full read.
    else this.#links.onChangedElsewhere(notice.peers, notice.by).catch(() => {});
  }

  async #write(notice: ManagementNotice, fn: (database: SqlDatabase) => Promise<void>): Promise<void> {
    await this.#pool.begin(async (tx) => {
      await fn(databaseOver(tx, () => true));
      await tx.unsafe("SELECT pg_notify($1, $2)", [CHANNEL, JSON.stringify(notice)]);
    });
  }

  async #tell(notice: ManagementNotice): Promise<void> {
    await this.#pool.unsafe("SELECT pg_notify($1, $2)", [CHANNEL, JSON.stringify(notice)]);
  }
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
