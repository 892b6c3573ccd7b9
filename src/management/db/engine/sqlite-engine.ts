/**
 * The engine on one SQLite file, which this process holds exclusively.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../../base/clock.ts";
import { type Connection, openReader, type SqlDatabase } from "./connection.ts";
import { type Engine, withDeadline } from "./engine.ts";
import { asStoreError } from "./errors.ts";
import { lockDataFolder, noDatabase, openDatabaseFile } from "./file.ts";
import { createMutex, type Mutex } from "./mutex.ts";

/**
 * Throws as `lockDataFolder` and `openDatabaseFile`. Without `create`, creates no file at all.
 */
export function openSqliteEngine(options: { dataDir: string; clock: Clock; create: boolean }): Engine {
  const path = join(options.dataDir, "management.db");
  if (!options.create && !existsSync(path)) throw noDatabase(path);
  const lock = lockDataFolder(options.dataDir);
  const opened: Connection[] = [];
  const end = (): void => {
    for (const connection of opened.splice(0).reverse()) connection.close();
    lock.release();
  };
  try {
    opened.push(openDatabaseFile(path, options), openReader(path), openReader(path));
    const [writer, reader, snapshots] = opened as [Connection, Connection, Connection];
    return createEngine({ path, writer, reader, snapshots, end });
  } catch (cause) {
    end();
    throw cause;
  }
}

interface Parts {
  readonly path: string;
  readonly writer: Connection;
  readonly reader: Connection;
  readonly snapshots: Connection;
  readonly end: () => void;
}

function createEngine({ path, writer, reader, snapshots, end }: Parts): Engine {
  const writing = createMutex();
  const snapshotting = createMutex();
  let isClosed = false;
  const readSql = reader.database(() => !isClosed);
  return {
    read: (fn) => translate(path, () => fn(readSql)),
    snapshot: (fn) =>
      translate(path, () => exclusively({ connection: snapshots, mutex: snapshotting, begin: "BEGIN" }, fn)),
    transaction: (fn) =>
      translate(path, () =>
        exclusively({ connection: writer, mutex: writing, begin: "BEGIN IMMEDIATE" }, fn),
      ),
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      const releases = [await writing.acquire(), await snapshotting.acquire()];
      end();
      for (const release of releases) release();
    },
  };
}

/** Runs `fn` between BEGIN and COMMIT while holding the connection's mutex. */
async function exclusively<T>(
  on: { readonly connection: Connection; readonly mutex: Mutex; readonly begin: string },
  fn: (sql: SqlDatabase) => Promise<T>,
): Promise<T> {
  const { connection } = on;
  const release = await on.mutex.acquire();
  let isOpen = true;
  try {
    connection.execute(on.begin);
    try {
      const result = await withDeadline(fn(connection.database(() => isOpen)));
      isOpen = false;
      connection.execute("COMMIT");
      return result;
    } catch (cause) {
      isOpen = false;
      if (connection.raw.inTransaction) connection.execute("ROLLBACK");
      throw cause;
    }
  } finally {
    release();
  }
}

async function translate<T>(path: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (cause) {
    throw asStoreError(cause, path);
  }
}
