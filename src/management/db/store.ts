/**
 * The asynchronous store of management: reads, transactions, and changes that are recorded in the audit log.
 *
 * Queries are named functions in `tables/` that take a `Reader` or a `Writer`; nothing outside this folder
 * writes SQL. A `Writer` exists only inside a transaction. Writers run one at a time and are rolled back
 * whole when the function throws. Readers have their own connections and see only committed data. The
 * databases differ below `engine/engine.ts`. Start with `Store`.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { assert } from "../../base/assert.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { AccountId } from "../../wire/units.ts";
import type { Cluster } from "./engine/cluster.ts";
import type { SqlDatabase } from "./engine/connection.ts";
import type { Engine } from "./engine/engine.ts";
import { openSqliteEngine } from "./engine/sqlite-engine.ts";
import type { Reader, Writer } from "./engine/transaction.ts";
import { type Schema, sqliteSchema } from "./schema/schema.ts";
import { bumpVersion } from "./tables/accounts.ts";
import { appendEvents, type Initiator, type NewEvent } from "./tables/audit-events.ts";

/** A transaction that reports what it changed. */
export interface ChangeWriter extends Writer {
  /** Adds an audit event, stored with the change or not at all. */
  record(event: NewEvent): void;
  /** The audit events so far. */
  readonly events: readonly NewEvent[];
  /** Marks the account's maps as possibly changed. */
  affectMaps(): void;
}

export interface ChangeOptions {
  readonly accountId: AccountId;
  readonly initiator: Initiator;
  /** Audit events known before the change. `record` adds more. */
  readonly events?: readonly NewEvent[];
  readonly affectsMaps?: boolean;
}

/** Called with an account's new version. `version` 0: the account was deleted. */
export type ChangeListener = (accountId: AccountId, version: number) => void;
/** Called after an account gained audit events. `seq` is the number of the last one. */
export type AuditListener = (accountId: AccountId, seq: number) => void;

export interface Store {
  /** Runs queries. Each sees everything committed when it runs. */
  read<T>(fn: (tx: Reader) => Promise<T>): Promise<T>;
  /** Runs queries that all see the same state of the database. */
  snapshot<T>(fn: (tx: Reader) => Promise<T>): Promise<T>;
  /**
   * Runs `fn` atomically: rolled back when it throws, durable once the promise resolves. Throws ERR_TIMEOUT
   * and ERR_UNAVAILABLE besides what `fn` throws. Must not be called inside another transaction.
   */
  transaction<T>(fn: (tx: Writer) => Promise<T>): Promise<T>;
  /**
   * A transaction that also appends its audit events, and raises the account's version when maps are
   * affected. Listeners are called after the commit.
   */
  change<T>(options: ChangeOptions, fn: (tx: ChangeWriter) => Promise<T>): Promise<T>;
  /** Calls `listener` after each commit that raised a version. Returns the function that unsubscribes. */
  onChange(listener: ChangeListener): () => void;
  /** Calls `listener` after each commit that appended audit events, with the last number. */
  onAudit(listener: AuditListener): () => void;
  /** Calls listeners after a `transaction`. `change` does so itself. */
  notify(done: { accountId: AccountId; version?: number; auditSeq?: number }): void;
  /** The other processes on this database. Null: SQLite, which allows none. */
  readonly cluster: Cluster | null;
  /** Waits for writers, then closes. */
  close(): Promise<void>;
}

export interface StoreOptions {
  /** Exists, with mode 0700, unless `create` is false. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Creates a missing database. False: a missing database is ERR_NOT_INITIALISED, and nothing is created. */
  readonly create: boolean;
}

/** Opens the store of `dataDir` for this process alone. Throws as `openSqliteEngine`. */
export function openStore(options: StoreOptions): Store {
  return createStore({ ...options, engine: openSqliteEngine(options), schema: sqliteSchema, cluster: null });
}

export interface StoreParts {
  readonly engine: Engine;
  readonly schema: Schema;
  readonly cluster: Cluster | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** Creates the store over an engine. Closing the store closes the engine. */
export function createStore({ engine, schema, cluster, clock, log }: StoreParts): Store {
  const changeListeners = new Set<ChangeListener>();
  const auditListeners = new Set<AuditListener>();
  const nesting = new AsyncLocalStorage<true>();
  const asTx = (sql: SqlDatabase): Reader => ({ sql, t: schema, clock });

  const store: Store = {
    read: (fn) => engine.read((sql) => fn(asTx(sql))),
    snapshot: (fn) => engine.snapshot((sql) => fn(asTx(sql))),
    transaction: async (fn) => {
      assert(nesting.getStore() === undefined, "a transaction is not started inside another");
      return engine.transaction((sql) => nesting.run(true, () => fn(asTx(sql) as Writer)));
    },
    change: async (options, fn) => {
      const { result, version, auditSeq } = await store.transaction((tx) => runChange(tx, options, fn));
      store.notify({ accountId: options.accountId, ...version, ...auditSeq });
      return result;
    },
    onChange: (listener) => subscribe(changeListeners, listener),
    onAudit: (listener) => subscribe(auditListeners, listener),
    notify: ({ accountId, version, auditSeq }) => {
      if (version !== undefined) callAll(changeListeners, log, accountId, version);
      if (auditSeq !== undefined) callAll(auditListeners, log, accountId, auditSeq);
    },
    cluster,
    close: async () => {
      await cluster?.close();
      await engine.close();
    },
  };
  cluster?.onAccount((done) => store.notify(done));
  return store;
}

async function runChange<T>(
  tx: Writer,
  options: ChangeOptions,
  fn: (tx: ChangeWriter) => Promise<T>,
): Promise<{ result: T; version: { version?: number }; auditSeq: { auditSeq?: number } }> {
  const events = [...(options.events ?? [])];
  let affectsMaps = options.affectsMaps === true;
  const changeTx = Object.assign(Object.create(tx) as Writer, {
    events,
    record: (event: NewEvent) => void events.push(event),
    affectMaps: () => {
      affectsMaps = true;
    },
  });
  const result = await fn(changeTx);
  const version = affectsMaps ? ((await bumpVersion(tx, options.accountId)) ?? 0) : undefined;
  const last = await appendEvents(tx, options.accountId, options.initiator, events);
  return {
    result,
    version: version === undefined ? {} : { version },
    auditSeq: last === undefined ? {} : { auditSeq: last },
  };
}

function subscribe<L>(listeners: Set<L>, listener: L): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Calls every listener, also when one throws. */
function callAll(
  listeners: ReadonlySet<(accountId: AccountId, value: number) => void>,
  log: Log,
  accountId: AccountId,
  value: number,
): void {
  for (const listener of [...listeners]) {
    try {
      listener(accountId, value);
    } catch (cause) {
      log.error("a change listener failed", { accountId }, cause);
    }
  }
}
