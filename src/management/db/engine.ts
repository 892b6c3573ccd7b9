/**
 * What a database has to be able to do for the store; one file each: `sqlite-engine.ts`,
 * `postgres/engine.ts`.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import type { SqlDatabase } from "./connection.ts";

/** Longest a transaction may take; it never waits for a network, so longer is a bug. */
const TRANSACTION_MS_MAX = 20_000;

export interface Engine {
  /** Queries that see every acknowledged write. */
  read<T>(fn: (sql: SqlDatabase) => Promise<T>): Promise<T>;
  /** Queries that all see the same moment. */
  snapshot<T>(fn: (sql: SqlDatabase) => Promise<T>): Promise<T>;
  /** Writers go one at a time, whichever process they are in; rolled back whole when `fn` throws. */
  transaction<T>(fn: (sql: SqlDatabase) => Promise<T>): Promise<T>;
  /** Waits for writers, then closes. */
  close(): Promise<void>;
}

/** Rejects with ERR_TIMEOUT when `work` takes longer than any transaction may. */
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
