/**
 * The control links of this process, one per peer, announced to the other processes on the database.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import type { AccountId, PeerId, UserId } from "../../wire/units.ts";
import type { UpgradeOrder } from "../../wire/upgrade-report.ts";
import { changedPeople } from "../contracts/changed-people.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { LinkState } from "../db/engine/cluster.ts";
import type { PeerRow } from "../db/tables/peers.ts";
import { createCloneWatch } from "./clone-watch.ts";
import type { AgentLink } from "./link.ts";
import { recordClone, touchPeers } from "./report-store.ts";
import type { PeerSession, PresenceListener } from "./sync-hub.ts";

const TOUCH_MS = 60_000;
/** Times of arrival and departure are stored together, this long after the first of them. */
const TOUCH_SOON_MS = 1_000;
const ACK_POLL_MS = 5;

type PeerName = Pick<PeerRow, "id" | "accountId" | "name">;

export class LinkTable {
  readonly #ctx: ManagementContext;
  readonly #links = new Map<PeerId, AgentLink>();
  readonly #byAccount = new Map<AccountId, Set<AgentLink>>();
  readonly #unwatch = new WeakMap<AgentLink, () => void>();
  readonly #clones: ReturnType<typeof createCloneWatch>;
  readonly #seen = new Map<PeerId, AgentLink>();
  readonly #presence = new Set<PresenceListener>();
  readonly #touchTimer: ReturnType<typeof setInterval>;
  #soonTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(ctx: ManagementContext) {
    this.#ctx = ctx;
    this.#clones = createCloneWatch(ctx.clock);
    const { cluster } = ctx.store;
    cluster?.onTaken((link) => this.#onTaken(link));
    cluster?.onElsewhere((accountId, people) => this.#tell(accountId, people));
    cluster?.onKill(({ peerId, connectionId, reason }) => {
      this.#links.get(peerId)?.send({ type: "kill", connectionId, reason });
    });
    this.#touchTimer = setInterval(() => void this.#touch(this.#links.values()), TOUCH_MS);
    this.#touchTimer.unref();
  }

  get size(): number {
    return this.#links.size;
  }

  isConnected(peerId: PeerId): boolean {
    return this.#links.has(peerId) || this.#ctx.store.cluster?.find(peerId) !== undefined;
  }

  async waitForAck(peerId: PeerId, version: number, timeoutMs: number): Promise<void> {
    const { clock, store } = this.#ctx;
    const endMs = clock.monotonicMs() + timeoutMs;
    while (clock.monotonicMs() < endMs) {
      const link = this.#links.get(peerId) ?? store.cluster?.find(peerId);
      if (link === undefined || link.ackedVersion >= version) return;
      await Bun.sleep(ACK_POLL_MS);
    }
  }

  sessions(accountId: AccountId): PeerSession[] {
    const elsewhere = this.#ctx.store.cluster?.list(accountId) ?? [];
    return [...(this.#byAccount.get(accountId) ?? []), ...elsewhere].flatMap(({ peerId, sessions }) =>
      sessions.map((session) => ({ peerId, session })),
    );
  }

  kill(peerId: PeerId, connectionId: string, reason: string): boolean {
    const link = this.#links.get(peerId);
    if (link === undefined) {
      return this.#ctx.store.cluster?.kill({ peerId, connectionId, reason }) === true;
    }
    link.send({ type: "kill", connectionId, reason });
    return true;
  }

  order(peerId: PeerId, { orderId, version }: UpgradeOrder): void {
    this.#links.get(peerId)?.send({ type: "upgrade", orderId, version });
  }

  /**
   * Adds a link and replaces the peer's older one. That one is usually dead; if not, the device key was
   * copied.
   */
  add(link: AgentLink, peer: PeerName): void {
    const { peerId, accountId, bootId } = link;
    const old = this.#links.get(peerId);
    this.#links.set(peerId, link);
    const ofAccount = this.#byAccount.get(accountId) ?? new Set();
    this.#byAccount.set(accountId, ofAccount.add(link));
    this.#unwatch.set(
      link,
      this.#ctx.maps.watch(accountId, peerId, () => link.refresh()),
    );
    const elsewhere = this.#ctx.store.cluster?.find(peerId);
    if (old !== undefined) this.#supersede(old, peer, bootId);
    else if (elsewhere !== undefined && elsewhere.bootId !== bootId) {
      // Only remembered here; the process that loses its link reports it.
      this.#clones.superseded(peerId, elsewhere.bootId, bootId);
    }
    this.announce(link);
    this.#touchSoon(link);
  }

  /** Calls `listener` when a machine's link comes or goes, at any process, or its live sessions change. */
  onPresence(listener: PresenceListener): () => void {
    this.#presence.add(listener);
    return () => void this.#presence.delete(listener);
  }

  /**
   * Announces the link's state to the other processes and to listeners. `people` are those whose sessions
   * changed.
   */
  announce(link: AgentLink, people: readonly UserId[] = []): void {
    if (this.#links.get(link.peerId) !== link) return;
    const { accountId, peerId, bootId, ackedVersion, sessions } = link;
    this.#tell(accountId, people);
    this.#ctx.store.cluster?.announce({ accountId, peerId, bootId, ackedVersion, sessions });
  }

  /** Removes a link whose socket is closed. */
  remove(link: AgentLink): void {
    const { peerId } = link;
    this.#drop(link);
    if (this.#links.get(peerId) !== link) return;
    this.#links.delete(peerId);
    this.#ctx.store.cluster?.withdraw(peerId);
    this.#tell(link.accountId, changedPeople(link.sessions, []));
    this.#ctx.log.info("agent disconnected", { peerId });
    this.#touchSoon(link);
  }

  /** Tells every agent to come back, each after its own `retryAfterMs`, and closes the links. */
  async close(retryAfterMs: () => number): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#touchTimer);
    clearTimeout(this.#soonTimer);
    const bye = { code: "restarting", message: "management is restarting", retry: true };
    const links = [...this.#links.values()];
    for (const link of links) link.bye({ ...bye, retryAfterMs: retryAfterMs() });
    await this.#touch([...links, ...this.#seen.values()]);
  }

  #tell(accountId: AccountId, people: readonly UserId[]): void {
    for (const listener of this.#presence) listener(accountId, people);
  }

  #drop(link: AgentLink): void {
    link.close();
    this.#unwatch.get(link)?.();
    this.#unwatch.delete(link);
    this.#byAccount.get(link.accountId)?.delete(link);
  }

  /** The agent now has a link at another process: the one here is dead, or belongs to a clone. */
  #onTaken({ peerId, accountId, bootId }: LinkState): void {
    const old = this.#links.get(peerId);
    if (old === undefined) return;
    this.#links.delete(peerId);
    this.#supersede(old, { id: peerId, accountId, name: old.name }, bootId);
  }

  #supersede(old: AgentLink, peer: PeerName, bootId: string): void {
    if (old.bootId === bootId) {
      this.#drop(old);
      return;
    }
    const message = "another agent with this machine's key has connected: clone suspected";
    old.bye({ code: "clone_suspected", message, retry: true });
    this.#drop(old);
    if (!this.#clones.superseded(peer.id, old.bootId, bootId)) return;
    this.#ctx.log.warn("two agents use one device key", { peerId: peer.id, name: peer.name });
    recordClone(this.#ctx, peer).catch((cause: unknown) =>
      this.#ctx.log.error("an audit event could not be stored", {}, cause),
    );
  }

  #touchSoon(link: AgentLink): void {
    this.#seen.set(link.peerId, link);
    if (this.#isClosed) return;
    this.#soonTimer ??= setTimeout(() => {
      this.#soonTimer = undefined;
      const seen = [...this.#seen.values()];
      this.#seen.clear();
      void this.#touch(seen);
    }, TOUCH_SOON_MS);
    this.#soonTimer.unref();
  }

  async #touch(links: Iterable<AgentLink>): Promise<void> {
    await touchPeers(this.#ctx.store, [...links]).catch((cause: unknown) => {
      if (!(cause instanceof QfError && this.#isClosed)) {
        this.#ctx.log.warn("the time an agent was last seen could not be stored", {}, cause);
      }
    });
  }
}
