/**
 * The engine on PostgreSQL, which several processes share.
 *
 * Writers take turns across all processes: each first takes one advisory lock. So what a transaction has
 * read stays true until it commits, as on SQLite, and no transaction fails because of another.
 *
 * @module
 */
import type { SqlDatabase } from "../engine/connection.ts";
import { type Engine, withDeadline } from "../engine/engine.ts";
import { createMutex } from "../engine/mutex.ts";
import { databaseOver, type Sql } from "./connection.ts";
import { asPostgresStoreError, isConnectionLost, isRetryable } from "./errors.ts";

/** Key of the advisory lock that writers take. Arbitrary, but it must never change. */
const WRITER_LOCK = 0x51465721;
const ATTEMPTS_MAX = 3;
const END_SECONDS = 5;

export interface Pools {
  /** One connection, so that processes queue for the lock rather than every transaction. */
  readonly writer: Sql;
  readonly readers: Sql;
  readonly snapshots: Sql;
}

export function createPostgresEngine(pools: Pools): Engine {
  const writing = createMutex();
  let isClosed = false;
  const readSql = databaseOver(pools.readers, () => !isClosed);

  const writeOnce = <T>(fn: (sql: SqlDatabase) => Promise<T>): Promise<T> =>
    inTransaction(pools.writer, "", async (sql, run) => {
      await run(`SELECT pg_advisory_xact_lock(${WRITER_LOCK})`);
      return fn(sql);
    });
  return {
    read: (fn) => translate(() => again(isConnectionLost, () => fn(readSql))),
    snapshot: (fn) =>
      translate(() =>
        again(isConnectionLost, () =>
          inTransaction(pools.snapshots, "ISOLATION LEVEL REPEATABLE READ, READ ONLY", fn),
        ),
      ),
    transaction: async (fn) => {
      const release = await writing.acquire();
      try {
        return await translate(() => again(isRetryable, () => writeOnce(fn)));
      } finally {
        release();
      }
    },
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      const release = await writing.acquire();
      await endPools(Object.values(pools) as Sql[]);
      release();
    },
  };
}

export async function endPools(pools: readonly Sql[]): Promise<void> {
  await Promise.allSettled(pools.map((pool) => pool.end({ timeout: END_SECONDS })));
}

function inTransaction<T>(
  pool: Sql,
  mode: string,
  fn: (sql: SqlDatabase, run: (statement: string) => Promise<unknown>) => Promise<T>,
): Promise<T> {
  let isOpen = true;
  return pool.begin(mode, async (tx) => {
    try {
      const sql = databaseOver(tx, () => isOpen);
      return await withDeadline(fn(sql, async (statement) => await tx.unsafe(statement)));
    } finally {
      isOpen = false;
    }
  }) as Promise<T>;
}

/** Runs `work`, up to `ATTEMPTS_MAX` times while `isWorthIt` accepts its error. */
async function again<T>(isWorthIt: (error: unknown) => boolean, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (cause) {
      if (attempt >= ATTEMPTS_MAX || !isWorthIt(cause)) throw cause;
    }
  }
}

async function translate<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw asPostgresStoreError(cause);
  }
}
