/**
 * The store that a suite is run on: SQLite, or PostgreSQL when `QF_TEST_POSTGRES` names a server.
 * `test/management/postgres/suites.test.ts` runs the suites on the latter.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { openDatabaseFile } from "../../src/management/db/engine/file.ts";
import { openStore, type Store } from "../../src/management/db/store.ts";
import { testPostgres } from "./postgres.ts";
import { openKeptStore } from "./postgres-store.ts";
import { tempFolder } from "./temp-folder.ts";

const DATABASE = "management.db";

const opened: Store[] = [];

/** A store of `dataDir`, made when there is none. On PostgreSQL nothing is left in it once it is closed. */
export function openAnyTestStore(dataDir: string, clock: Clock): Store {
  if (process.env.QF_TEST_POSTGRES === undefined) {
    copyTemplate(dataDir);
    return openStore({ dataDir, clock, log: silentLog, create: true });
  }
  const store = openLater(() => openKeptStore(clock));
  opened.push(store);
  return store;
}

/** An empty database with the schema in it, made once in each process: copying is faster than migrating. */
let template: Uint8Array | undefined;

function copyTemplate(dataDir: string): void {
  const path = join(dataDir, DATABASE);
  if (existsSync(path)) return;
  template ??= emptyDatabase(join(tempFolder(), DATABASE));
  writeFileSync(path, template, { mode: 0o600 });
}

function emptyDatabase(path: string): Uint8Array {
  openDatabaseFile(path, { clock: systemClock, create: true }).close();
  return readFileSync(path);
}

/** Closes every store on PostgreSQL that is still open. */
export async function closeAnyTestStores(): Promise<void> {
  await Promise.allSettled(opened.splice(0).map((store) => store.close()));
}

/** A database for a management that is started whole; nothing: its data folder's own. */
export async function anyTestDatabase(): Promise<{ databaseUrl?: string }> {
  if (process.env.QF_TEST_POSTGRES === undefined) return {};
  return { databaseUrl: await (await testPostgres()).database() };
}

/** A store at once, that does everything as soon as the real one is open. */
function openLater(open: () => Promise<Store>): Store {
  const opening = open();
  opening.catch(() => {}); // Whoever uses it hears of it.
  const subscribe = (how: (store: Store) => () => void): (() => void) => {
    let isStopped = false;
    let stop = (): void => {
      isStopped = true;
    };
    void opening.then((store) => {
      if (!isStopped) stop = how(store);
    });
    return () => stop();
  };
  return {
    read: async (fn) => (await opening).read(fn),
    snapshot: async (fn) => (await opening).snapshot(fn),
    transaction: async (fn) => (await opening).transaction(fn),
    change: async (options, fn) => (await opening).change(options, fn),
    onChange: (listener) => subscribe((store) => store.onChange(listener)),
    onAudit: (listener) => subscribe((store) => store.onAudit(listener)),
    notify: (done) => void opening.then((store) => store.notify(done)),
    cluster: null,
    close: async () => (await opening).close(),
  };
}
