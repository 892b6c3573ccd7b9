/**
 * Opens the store on PostgreSQL: migrates the database, then joins the other processes on it.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import type { Log } from "../../../base/log.ts";
import { newId } from "../../../base/random.ts";
import { createStore, type Store } from "../store.ts";
import { openCluster } from "./cluster.ts";
import { openPool, type Sql } from "./connection.ts";
import { createPostgresEngine, endPools } from "./engine.ts";
import { asPostgresStoreError } from "./errors.ts";
import { migratePostgres } from "./migrate.ts";
import { pgSchema } from "./schema.ts";
import { parseDatabaseUrl } from "./url.ts";

const READERS_MAX = 6;
const SNAPSHOTS_MAX = 2;

/**
 * Throws ERR_USAGE for a URL that cannot be used; ERR_UNAVAILABLE, ERR_PERMISSION or ERR_NOT_INITIALISED when
 * the database cannot be opened; ERR_STATE_NEWER and ERR_STATE_DAMAGED as `migratePostgres`.
 */
export async function openPostgresStore(options: {
  databaseUrl: string;
  clock: Clock;
  log: Log;
  /** Creates our tables in an empty database. Default true. False: an empty one is ERR_NOT_INITIALISED. */
  create?: boolean;
}): Promise<Store> {
  const { clock, log, create = true } = options;
  const target = parseDatabaseUrl(options.databaseUrl);
  const processId = newId();
  const open = (max: number): Sql => openPool(target, { max, processId });
  const pools = { writer: open(1), readers: open(READERS_MAX), snapshots: open(SNAPSHOTS_MAX) };
  try {
    await migratePostgres(pools.writer, { clock, create });
    const engine = createPostgresEngine(pools);
    const cluster = await openCluster({
      processId,
      read: (fn) => engine.read(fn),
      clock,
      log,
      open: (onNotice) => openPool(target, { max: 1, processId, onNotice }),
    });
    return createStore({ engine, schema: pgSchema, cluster, clock, log });
  } catch (cause) {
    await endPools(Object.values(pools));
    const storeError = asPostgresStoreError(cause);
    throw storeError instanceof QfError
      ? storeError
      : new QfError("ERR_UNAVAILABLE", "the database cannot be opened", { cause });
  }
}
