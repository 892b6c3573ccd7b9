/**
 * The store's interface to a database. Implemented by `sqlite-engine.ts` and `postgres/engine.ts`.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import type { SqlDatabase } from "./connection.ts";

/** Longest a transaction may take. It waits only for the database, so taking longer is a bug. */
const TRANSACTION_MS_MAX = 20_000;

export interface Engine {
  /** See `Store.read`. */
  read<T>(fn: (sql: SqlDatabase) => Promise<T>): Promise<T>;
  /** See `Store.snapshot`. */
  snapshot<T>(fn: (sql: SqlDatabase) => Promise<T>): Promise<T>;
  /** One at a time across all processes on the database. Rolled back whole when `fn` throws. */
  transaction<T>(fn: (sql: SqlDatabase) => Promise<T>): Promise<T>;
  /** Waits for writers, then closes. */
  close(): Promise<void>;
}

/** Rejects with ERR_TIMEOUT when `work` takes longer than `TRANSACTION_MS_MAX`. */
export async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new QfError("ERR_TIMEOUT", "the database took too long")),
      TRANSACTION_MS_MAX,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
