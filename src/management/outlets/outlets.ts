/**
 * Delivery to outlets: a stream gets every entry of its account's log, in order and at least once;
 * a notification channel gets notices about some.
 *
 * The log itself is the queue. An outlet holds one page in memory and a cursor in the database, so one that
 * is down costs nothing and loses only what retention deletes. One process at a time delivers to an outlet.
 * Read `#deliver`.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { isQfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { newId, randomUpTo } from "../../base/random.ts";
import type { AccountId } from "../../wire/units.ts";
import type { Store } from "../db/store.ts";
import {
  advanceOutlet,
  deleteOutlet,
  failOutlet,
  leaseOutlet,
  listLiveOutlets,
  type OutletRow,
  releaseOutlets,
} from "../db/tables/log-outlets.ts";
import { nextOfOutlet } from "./next.ts";
import { NoticeReader } from "./notices.ts";
import type { Sender } from "./sender.ts";

/** Interval of serving outlets that no new entry woke. */
const LOOK_MS = 5_000;
/** Entries that arrive within this time are delivered together. */
const GATHER_MS = 100;
const RETRY_MS = 5_000;
const RETRY_MS_MAX = 300_000;
const LEASE_MS = 60_000;
/** Outlets served at once. */
const AT_ONCE_MAX = 16;
/** How long one outlet is served before the others have their turn. */
const TURN_MS = 2_000;
/** How long delivery of the last entries to an ended outlet's address is retried. */
const ENDING_SECONDS_MAX = 3_600;

export interface OutletsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly sender: Sender;
}

export interface Outlets {
  start(): void;
  /** Delivers everything deliverable now, of all accounts or these. Never rejects. */
  flush(accountIds?: Iterable<AccountId>): Promise<void>;
  close(): Promise<void>;
}

export function createOutlets(deps: OutletsDeps): Outlets {
  return new RunningOutlets(deps);
}

/** An outlet's state in memory. */
interface Progress {
  attempts: number;
  /** Earliest next attempt, by the monotonic clock. */
  tryAtMs: number;
  notices: NoticeReader;
}

class RunningOutlets implements Outlets {
  readonly #deps: OutletsDeps;
  readonly #processId = newId();
  readonly #progress = new Map<string, Progress>();
  #running: Promise<void> = Promise.resolve();
  #isWaiting = false;
  /** Accounts to serve next. Null: all. */
  #wanted: Set<AccountId> | null = new Set();
  /** Whether an outlet had more than fitted in its turn. */
  #hasMore = false;
  #isClosed = false;
  #stop = (): void => {};

  constructor(deps: OutletsDeps) {
    this.#deps = deps;
  }

  start(): void {
    const timer = setInterval(() => void this.flush(), LOOK_MS);
    timer.unref();
    let gathering: ReturnType<typeof setTimeout> | undefined;
    const news = new Set<AccountId>();
    const unsubscribe = this.#deps.store.onAudit((accountId) => {
      news.add(accountId);
      gathering ??= setTimeout(() => {
        gathering = undefined;
        void this.flush(news);
        news.clear();
      }, GATHER_MS);
      gathering.unref();
    });
    this.#stop = () => {
      clearInterval(timer);
      clearTimeout(gathering);
      unsubscribe();
    };
    void this.flush();
  }

  flush(accountIds?: Iterable<AccountId>): Promise<void> {
    if (accountIds === undefined) this.#wanted = null;
    for (const id of accountIds ?? []) this.#wanted?.add(id);
    if (this.#isWaiting) return this.#running;
    this.#isWaiting = true;
    this.#running = this.#running.then(async () => {
      this.#isWaiting = false;
      if (this.#isClosed) return;
      await this.#look().catch((cause: unknown) => {
        this.#deps.log.warn("outlets of the audit log could not be looked at", {}, cause);
      });
      if (!this.#hasMore) return;
      this.#hasMore = false;
      void this.flush();
    });
    return this.#running;
  }

  async close(): Promise<void> {
    this.#stop();
    this.#isClosed = true;
    await this.#running;
    if (this.#deps.store.cluster === null) return;
    await this.#deps.store
      .transaction((tx) => releaseOutlets(tx, this.#processId))
      .catch((cause: unknown) => this.#deps.log.warn("leases of outlets not given back", {}, cause));
  }

  async #look(): Promise<void> {
    const wanted = this.#wanted;
    this.#wanted = new Set();
    const rows = await this.#deps.store.read(listLiveOutlets);
    const ids = new Set(rows.map(({ id }) => id));
    for (const id of this.#progress.keys()) if (!ids.has(id)) this.#progress.delete(id);
    const nowMs = this.#deps.clock.monotonicMs();
    const isWanted = ({ accountId }: OutletRow): boolean => wanted?.has(accountId) ?? true;
    const due = rows.filter((row) => isWanted(row) && (this.#progress.get(row.id)?.tryAtMs ?? 0) <= nowMs);
    for (let i = 0; i < due.length; i += AT_ONCE_MAX) {
      await Promise.all(due.slice(i, i + AT_ONCE_MAX).map((row) => this.#serve(row)));
    }
  }

  /** Delivers until nothing is left, the turn is over or a delivery fails. Never rejects. */
  async #serve(outlet: OutletRow): Promise<void> {
    const progress = this.#progressOf(outlet.id);
    const endMs = this.#deps.clock.monotonicMs() + TURN_MS;
    try {
      if (!(await this.#mayServe(outlet.id))) return;
      let row = outlet;
      while (!this.#isClosed) {
        const seq = await this.#deliver(row, progress);
        if (seq === row.cursorSeq) break;
        row = { ...row, cursorSeq: seq, failingSince: null };
        if (this.#deps.clock.monotonicMs() < endMs) continue;
        this.#hasMore = true;
        break;
      }
      progress.attempts = 0;
      if (row.endsAtSeq !== null && row.cursorSeq >= row.endsAtSeq) await this.#remove(row);
    } catch (cause) {
      await this.#failed(outlet, progress, cause);
    }
  }

  /** Delivers the next page. Returns the new cursor, which is the old one when there is nothing. */
  async #deliver(row: OutletRow, progress: Progress): Promise<number> {
    const { store, sender, clock } = this.#deps;
    const notices = progress.notices.copy(); // A failed page is read again.
    const next = await store.read((tx) => nextOfOutlet(tx, row, { notices, nowMs: clock.nowMs() }));
    if (next.throughSeq === row.cursorSeq) return row.cursorSeq;
    if (next.lines.length > 0) await sender.sendEntries(row, next.lines);
    if (next.notices.length > 0) await sender.sendNotices(row, next.notices);
    const isDelivery = next.lines.length > 0 || next.notices.length > 0;
    await store.transaction((tx) => advanceOutlet(tx, row.id, { seq: next.throughSeq, isDelivery }));
    progress.notices = notices;
    return next.throughSeq;
  }

  async #failed(outlet: OutletRow, progress: Progress, cause: unknown): Promise<void> {
    const { store, clock, log } = this.#deps;
    progress.attempts += 1;
    const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(progress.attempts - 1, 10));
    progress.tryAtMs = clock.monotonicMs() + waitMs / 2 + randomUpTo(waitMs / 2);
    const error = isQfError(cause) ? cause.message : "it could not be delivered";
    if (progress.attempts === 1) log.warn("an outlet of the audit log fails", { outlet: outlet.id }, cause);
    const nowSeconds = clock.nowMs() / 1000;
    const isGivenUp = outlet.endedAt !== null && nowSeconds - outlet.endedAt > ENDING_SECONDS_MAX;
    await (isGivenUp ? this.#remove(outlet) : store.transaction((tx) => failOutlet(tx, outlet, error))).catch(
      (also: unknown) => log.warn("the state of an outlet is not stored", {}, also),
    );
  }

  async #remove({ id }: OutletRow): Promise<void> {
    await this.#deps.store.transaction((tx) => deleteOutlet(tx, id));
  }

  async #mayServe(id: string): Promise<boolean> {
    const { store } = this.#deps;
    if (store.cluster === null) return true; // No other process.
    const lease = { by: this.#processId, forMs: LEASE_MS };
    return store.transaction((tx) => leaseOutlet(tx, id, lease));
  }

  #progressOf(id: string): Progress {
    const known = this.#progress.get(id);
    if (known !== undefined) return known;
    const made = { attempts: 0, tryAtMs: 0, notices: new NoticeReader() };
    this.#progress.set(id, made);
    return made;
  }
}
