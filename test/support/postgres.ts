/**
 * A throw-away PostgreSQL: Debian's programs, a folder of its own, run as somebody without rights, loopback
 * only, gone at the end. One per test process, or the one that `QF_TEST_POSTGRES` names.
 */
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { getTableName } from "drizzle-orm";
import postgres from "postgres";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { newId } from "../../src/base/random.ts";
import type { Sql } from "../../src/management/db/postgres/connection.ts";
import { pgClusterSchema, pgSchema } from "../../src/management/db/postgres/schema.ts";
import { openPostgresStore } from "../../src/management/db/postgres/store.ts";
import { FOLDER_FOR_TESTS } from "./memory-folder.ts";

/** Debian's `nobody`, whom every system has. PostgreSQL refuses to run as root. */
const NOBODY = 65_534;
const HOME = "/usr/lib/postgresql";
const ENVIRONMENT = "QF_TEST_POSTGRES";
/** One of each test process: several may use one server. */
const TEMPLATE = `qf_template_${newId()}`;

export interface TestPostgres {
  /** Of the maintenance database. */
  readonly url: string;
  /** An empty database. */
  emptyDatabase(): Promise<string>;
  /** A database with the schema in it already. */
  database(): Promise<string>;
  /** Without order, as a crash would. */
  crash(): Promise<void>;
  start(): Promise<void>;
}

/** Where Debian has the newest version's programs. Undefined: there is none. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(HOME) ? readdirSync(HOME) : [];
  return versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(HOME, version, "bin"))
    .find((folder) => existsSync(join(folder, "initdb")));
}

/** Whether there is one to test on; says so where there is not. */
export const hasPostgres = postgresPrograms() !== undefined || process.env[ENVIRONMENT] !== undefined;
if (!hasPostgres) process.stderr.write("skipped: PostgreSQL is not installed (apt install postgresql)\n");

let shared: Promise<TestPostgres> | undefined;

/** The one of this test process. */
export function testPostgres(): Promise<TestPostgres> {
  const url = process.env[ENVIRONMENT];
  shared ??= url === undefined ? startCluster() : Promise.resolve(overUrl(url));
  return shared;
}

async function startCluster(): Promise<TestPostgres> {
  const programs = postgresPrograms();
  if (programs === undefined) throw new Error("PostgreSQL is not installed");
  const folder = mkdtempSync(join(FOLDER_FOR_TESTS, "qf-postgres-"));
  chmodSync(folder, 0o700);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  const data = join(folder, "data");
  const run = async (name: string, ...args: string[]): Promise<void> => {
    const child = Bun.spawn([join(programs, name), ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? "", LC_ALL: "C", HOME: folder },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    });
    if ((await child.exited) !== 0) throw new Error(`${name} failed`);
  };
  await run("initdb", "-D", data, "-U", "qf", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
  const port = freePort();
  const settings = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200`;
  const start = (): Promise<void> =>
    run("pg_ctl", "-D", data, "-w", "-t", "30", "-l", join(folder, "log"), "-o", settings, "start");
  const crash = (): Promise<void> => run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop");
  sweepAfterwards(folder, join(programs, "pg_ctl"), data, isRoot);
  await start();
  return { ...overUrl(`postgres://qf@127.0.0.1:${port}/postgres`), start, crash };
}

/** Ends the server and removes its folder when this process is gone, however it goes. */
function sweepAfterwards(folder: string, control: string, data: string, isRoot: boolean): void {
  // A child's child, for the runner kills its children when a test takes too long.
  const waiting = `while [ -d /proc/${process.pid} ]; do sleep 0.3; done`;
  const script = `(cd /; ${waiting}; "$1" -D "$2" -m immediate stop; rm -rf "$3") &`;
  const sweeper = Bun.spawn(["setsid", "sh", "-c", script, "sh", control, data, folder], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  sweeper.unref();
}

function overUrl(url: string): TestPostgres {
  const make = async (template: string): Promise<string> => {
    const name = `qf_${newId()}`;
    await administer(url, `CREATE DATABASE "${name}" TEMPLATE "${template}"`);
    return withDatabase(url, name);
  };
  let template: Promise<void> | undefined;
  const refuse = (): Promise<never> => Promise.reject(new Error("it belongs to another process"));
  return {
    url,
    emptyDatabase: () => make("template0"),
    async database() {
      template ??= makeTemplate(url);
      await template;
      return make(TEMPLATE);
    },
    start: refuse,
    crash: refuse,
  };
}

async function makeTemplate(url: string): Promise<void> {
  const own = withDatabase(url, TEMPLATE);
  await administer(url, `CREATE DATABASE "${TEMPLATE}" TEMPLATE template0`);
  const options = { databaseUrl: own, clock: systemClock, log: silentLog };
  await (await openPostgresStore(options)).close();
}

/** Takes everything out of a database but its schema, without what triggers would do about it. */
export async function emptyTablesOver(pool: Sql): Promise<void> {
  const tables = [...Object.values(pgSchema), ...Object.values(pgClusterSchema)].map(
    (table) => `"${getTableName(table)}"`,
  );
  const deletes = tables.map((table) => `DELETE FROM ${table}`).join(";");
  await pool.unsafe(`BEGIN; SET LOCAL session_replication_role = replica; ${deletes}; COMMIT`);
}

/** Runs one statement on a connection of its own. */
export async function administer(
  url: string,
  statement: string,
): Promise<readonly Record<string, unknown>[]> {
  const pool = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return [...(await pool.unsafe(statement))];
  } finally {
    await pool.end({ timeout: 1 });
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

/** A port that was free a moment ago: pg_ctl has to be told one. */
function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
