/**
 * Stores of suites on PostgreSQL, one after the other on the same databases.
 *
 * A connection of PostgreSQL is a process that reads its catalogue anew, which costs more than most tests do
 * with it. So a database keeps its connections while no store is on it, and is emptied over one of them.
 */
import type { Clock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { newId } from "../../src/base/random.ts";
import { openCluster } from "../../src/management/db/postgres/cluster.ts";
import { openPool, type Sql } from "../../src/management/db/postgres/connection.ts";
import { createPostgresEngine, type Pools } from "../../src/management/db/postgres/engine.ts";
import { pgSchema } from "../../src/management/db/postgres/schema.ts";
import { parseDatabaseUrl } from "../../src/management/db/postgres/url.ts";
import { createStore, type Store } from "../../src/management/db/store.ts";
import { emptyTablesOver, testPostgres } from "./postgres.ts";

/** Connections at most, as the product opens them. */
const POOLS = { writer: 1, readers: 6, snapshots: 2 } as const;

interface KeptDatabase {
  readonly url: string;
  /** By the name of its connections the server says whose change a notice is of. */
  readonly processId: string;
  readonly pools: Pools;
}

/** Databases that no test uses now. */
const free: KeptDatabase[] = [];

/** A store on an empty database with the schema in it. Nothing is left in it once the store is closed. */
export async function openKeptStore(clock: Clock): Promise<Store> {
  const database = free.pop() ?? keepConnections(await (await testPostgres()).database());
  const store = await openOn(database, clock);
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await store.close();
    await emptyTablesOver(database.pools.writer);
    free.push(database);
  };
  return {
    ...store,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function keepConnections(url: string): KeptDatabase {
  const target = parseDatabaseUrl(url);
  const processId = newId();
  const open = (max: number): Sql => openPool(target, { max, processId });
  return {
    url,
    processId,
    pools: { writer: open(POOLS.writer), readers: open(POOLS.readers), snapshots: open(POOLS.snapshots) },
  };
}

/** As `openPostgresStore`, but that the pools stay when it closes. */
async function openOn({ url, processId, pools }: KeptDatabase, clock: Clock): Promise<Store> {
  const engine = createPostgresEngine({
    writer: withoutEnd(pools.writer),
    readers: withoutEnd(pools.readers),
    snapshots: withoutEnd(pools.snapshots),
  });
  const cluster = await openCluster({
    processId,
    read: (fn) => engine.read(fn),
    clock,
    log: silentLog,
    open: (onNotice) => openPool(parseDatabaseUrl(url), { max: 1, processId, onNotice }),
  });
  return createStore({ engine, schema: pgSchema, cluster, clock, log: silentLog });
}

/** The pool, but that `end` leaves it open. */
function withoutEnd(pool: Sql): Sql {
  return { begin: pool.begin, unsafe: pool.unsafe, end: () => Promise.resolve() } as unknown as Sql;
}
