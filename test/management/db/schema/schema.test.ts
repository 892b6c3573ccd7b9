import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import { isQfError } from "../../../../src/base/errors.ts";
import { migrate, SQLITE_MIGRATIONS } from "../../../../src/management/db/engine/migrate.ts";
import { sqliteSchema } from "../../../../src/management/db/schema/schema.ts";
import { listLostTails } from "../../../../src/management/db/tables/log-keys.ts";
import { listUsersWithEnds } from "../../../../src/management/db/tables/users.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { aManagement } from "../../../support/management.ts";
import { OLD_CONNECTION_EVENTS, OLD_CONNECTION_IDS, OLD_SESSIONS } from "../../../support/old-connections.ts";
import { tempFolder } from "../../../support/temp-folder.ts";

const clock = new FakeClock();
const aDatabase = (): Database => new Database(join(tempFolder(), "a.db"), { create: true });
const run = (database: Database, migrations = SQLITE_MIGRATIONS): void =>
  migrate(database, { path: "a.db", clock, migrations });
const codeOf = (fn: () => void): string => {
  try {
    fn();
  } catch (cause) {
    return isQfError(cause) ? cause.code : String(cause);
  }
  return "none";
};

/** A query of drizzle's as it would be run. */
const asSql = (query: unknown): { readonly sql: string; readonly params: string[] } =>
  (query as { toSQL(): { sql: string; params: string[] } }).toSQL();

interface ColumnInfo {
  name: string;
  type: string;
  notnull: number;
  pk: number;
}

test("the migrations make exactly the tables and columns of the schema", () => {
  const database = aDatabase();
  run(database);
  const made: Record<string, string[]> = {};
  const declared: Record<string, string[]> = {};
  for (const table of Object.values(sqliteSchema)) {
    const { name, columns, primaryKeys } = getTableConfig(table);
    const keys = new Set(primaryKeys.flatMap((key) => key.columns.map((column) => column.name)));
    declared[name] = columns.map(
      (column) =>
        `${column.name} ${column.getSQLType().toUpperCase()} ${column.notNull || column.primary} ` +
        `${column.primary || keys.has(column.name)}`,
    );
    made[name] = database
      .query<ColumnInfo, []>(`PRAGMA table_info(${name})`)
      .all()
      .map((column) => `${column.name} ${column.type} ${column.notnull === 1} ${column.pk > 0}`);
  }
  expect(made).toEqual(declared);
  const tables = database
    .query<{ name: string }, []>("SELECT name FROM sqlite_master WHERE type = 'table'")
    .all()
    .map((row) => row.name)
    .filter((name) => !name.startsWith("sqlite_") && name !== "schema_migrations");
  expect(tables.sort()).toEqual(Object.keys(declared).sort());
  database.close();
});

test("the migrations make every index and unique constraint of the schema", () => {
  const database = aDatabase();
  run(database);
  const made = new Set<string>();
  const declared = new Set<string>();
  for (const table of Object.values(sqliteSchema)) {
    const { name, indexes, columns } = getTableConfig(table);
    for (const { config } of indexes) {
      const on = config.columns.map((column) => ("name" in column ? column.name : "?")).join(",");
      declared.add(`${name}(${on}) ${config.unique}`);
    }
    for (const column of columns) if (column.isUnique) declared.add(`${name}(${column.name}) true`);
    const list = database
      .query<{ name: string; unique: number; origin: string }, []>(`PRAGMA index_list(${name})`)
      .all()
      .filter((index) => index.origin !== "pk");
    for (const index of list) {
      const on = database.query<{ name: string }, []>(`PRAGMA index_info(${index.name})`).all();
      made.add(`${name}(${on.map((column) => column.name).join(",")}) ${index.unique === 1}`);
    }
  }
  expect([...made].sort()).toEqual([...declared].sort());
  database.close();
});

test("queries for rows that are rare use the indexes of these", async () => {
  const database = aDatabase();
  run(database);
  const queries = await aManagement().store.read(async (tx) =>
    [listUsersWithEnds(tx), listLostTails(tx, "a")].map((query) => asSql(query)),
  );
  const plans = queries.map(({ sql, params }) =>
    database.query<{ detail: string }, string[]>(`EXPLAIN QUERY PLAN ${sql}`).all(...params),
  );
  expect(plans.flat().map(({ detail }) => / USING INDEX (\w+)/.exec(detail)?.[1])).toEqual([
    "users_with_ends",
    "audit_events_log_lost",
  ]);
  database.close();
});

test("connections of the log so far are taken in as sessions", () => {
  const database = aDatabase();
  run(database, SQLITE_MIGRATIONS.slice(0, 12));
  for (const event of OLD_CONNECTION_EVENTS) {
    const names = Object.keys(event);
    database.run(
      `INSERT INTO audit_events (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
      Object.values(event),
    );
  }
  run(database);
  const ids = database.query("SELECT connection_id FROM audit_events ORDER BY seq").values();
  expect(ids.flat()).toEqual(OLD_CONNECTION_IDS);
  const sessions = database
    .query(
      "SELECT connection_id, closed_at_ms, end_reason, bytes_out FROM ssh_sessions ORDER BY opened_at_ms",
    )
    .values();
  expect(sessions).toEqual(OLD_SESSIONS);
  database.close();
});

test("a migration that fails leaves nothing of itself", () => {
  const database = aDatabase();
  run(database);
  const broken = {
    number: SQLITE_MIGRATIONS.length + 1,
    name: "broken",
    sql: "CREATE TABLE half (id TEXT); SELECT no_such_column;",
  };
  expect(() => run(database, [...SQLITE_MIGRATIONS, broken])).toThrow();
  const half = database.query("SELECT name FROM sqlite_master WHERE name = 'half'").get();
  expect(half).toBeNull();
  run(database);
  database.close();
});

test("migrations go forward only and are applied once", () => {
  const database = aDatabase();
  const second = {
    number: SQLITE_MIGRATIONS.length + 1,
    name: "second",
    sql: "CREATE TABLE second (id TEXT) STRICT",
  };
  run(database);
  run(database, [...SQLITE_MIGRATIONS, second]);
  run(database, [...SQLITE_MIGRATIONS, second]);
  expect(codeOf(() => run(database))).toBe("ERR_STATE_NEWER");
  const changed = { ...second, sql: "CREATE TABLE other (id TEXT) STRICT" };
  expect(codeOf(() => run(database, [...SQLITE_MIGRATIONS, changed]))).toBe("ERR_STATE_DAMAGED");
  database.close();
});

test("a full disk in the middle of a migration is named, and nothing of it stays", () => {
  const database = aDatabase();
  database.run("PRAGMA max_page_count = 8");
  expect(codeOf(() => run(database))).toContain("full");
  database.run("PRAGMA max_page_count = 10000");
  run(database);
  expect(database.query("SELECT count(*) AS n FROM schema_migrations").get()).toEqual({
    n: SQLITE_MIGRATIONS.length,
  });
});
