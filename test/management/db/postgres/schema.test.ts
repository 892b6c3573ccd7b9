import { describe, expect, test } from "bun:test";
import { getTableConfig, type PgTable } from "drizzle-orm/pg-core";
import postgres from "postgres";
import { isQfError } from "../../../../src/base/errors.ts";
import { migratePostgres, POSTGRES_MIGRATIONS } from "../../../../src/management/db/postgres/migrate.ts";
import { pgClusterSchema, pgSchema } from "../../../../src/management/db/postgres/schema.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { OLD_CONNECTION_EVENTS, OLD_CONNECTION_IDS, OLD_SESSIONS } from "../../../support/old-connections.ts";
import { administer, hasPostgres, testPostgres } from "../../../support/postgres.ts";

const clock = new FakeClock();
const tables = [...Object.values(pgSchema), ...Object.values(pgClusterSchema)] as unknown as PgTable[];

/** Brings a database forward, on a connection of its own. Gives back the code of a failure. */
async function run(databaseUrl: string, migrations = POSTGRES_MIGRATIONS): Promise<string> {
  const pool = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    await migratePostgres(pool, { clock, migrations });
    return "done";
  } catch (cause) {
    return isQfError(cause) ? cause.code : "failed";
  } finally {
    await pool.end({ timeout: 1 });
  }
}

describe.skipIf(!hasPostgres)("the migrations of PostgreSQL", () => {
  test("make exactly the tables and columns of the schema", async () => {
    const declared = tables.flatMap((table) => {
      const { name, columns } = getTableConfig(table);
      return columns.map((column) => {
        const isKey = getTableConfig(table).primaryKeys.some((key) => key.columns.includes(column));
        const isRequired = column.notNull || column.primary || isKey;
        const type = column.getSQLType();
        return `${name}.${column.name} ${type} ${isRequired} ${type === "text" ? "C" : "-"}`;
      });
    });
    const rows = await administer(
      await (await testPostgres()).database(),
      "SELECT table_name, column_name, data_type, is_nullable, collation_name FROM information_schema.columns " +
        "WHERE table_schema = 'public' AND table_name <> 'schema_migrations'",
    );
    const made = rows.map(
      (row) =>
        `${row.table_name}.${row.column_name} ${row.data_type} ${row.is_nullable === "NO"} ${row.collation_name ?? "-"}`,
    );
    expect(made.sort()).toEqual(declared.sort());
  });

  test("take connections of the log so far in as sessions, also beside text with an escaped NUL", async () => {
    const url = await (await testPostgres()).emptyDatabase();
    expect(await run(url, POSTGRES_MIGRATIONS.slice(0, 12))).toBe("done");
    const pool = postgres(url, { max: 1, onnotice: () => {} });
    try {
      for (const event of OLD_CONNECTION_EVENTS) {
        const names = Object.keys(event);
        const places = names.map((name, i) =>
          /^(?:data|meta)$/.test(name) ? `$${i + 1}::text::json` : `$${i + 1}`,
        );
        const insert = `INSERT INTO audit_events (${names.join(", ")}) VALUES (${places.join(", ")})`;
        await pool.unsafe(insert, Object.values(event));
      }
      expect(await run(url)).toBe("done");
      const ids = await pool.unsafe("SELECT connection_id FROM audit_events ORDER BY seq").values();
      expect(ids.flat()).toEqual(OLD_CONNECTION_IDS);
      const sessions = await pool
        .unsafe(
          "SELECT connection_id, closed_at_ms::int, end_reason, bytes_out::int FROM ssh_sessions " +
            "ORDER BY opened_at_ms",
        )
        .values();
      expect([...sessions]).toEqual(OLD_SESSIONS);
    } finally {
      await pool.end({ timeout: 1 });
    }
  });

  test("make every key, index and reference of the schema", async () => {
    const declared = tables.flatMap((table) => {
      const { name, columns, indexes, primaryKeys, foreignKeys } = getTableConfig(table);
      const namesOf = (list: readonly unknown[]): string =>
        list.map((column) => (column as { name: string }).name).join(", ");
      return [
        ...columns.filter((column) => column.primary).map((column) => `${name} key (${column.name})`),
        ...primaryKeys.map((key) => `${name} key (${namesOf(key.columns)})`),
        ...columns.filter((column) => column.isUnique).map((column) => `${name} unique (${column.name})`),
        ...indexes.map(
          ({ config }) => `${name} ${config.unique ? "unique" : "index"} (${namesOf(config.columns)})`,
        ),
        ...foreignKeys.map((key) => {
          const { columns: from, foreignTable } = key.reference();
          return `${name} (${namesOf(from)}) refers to ${getTableConfig(foreignTable).name}, ${key.onDelete}`;
        }),
      ];
    });
    const url = await (await testPostgres()).database();
    const indexes = await administer(
      url,
      "SELECT t.relname AS name, i.indisprimary, i.indisunique, pg_get_indexdef(i.indexrelid) AS definition " +
        "FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace " +
        "WHERE n.nspname = 'public' AND t.relname <> 'schema_migrations'",
    );
    const references = await administer(
      url,
      "SELECT conrelid::regclass::text AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint " +
        "WHERE contype = 'f'",
    );
    const made = [
      ...indexes.map((row) => {
        const kind = row.indisprimary ? "key" : row.indisunique ? "unique" : "index";
        return `${row.name} ${kind} ${/\(.*?\)/.exec(String(row.definition))?.[0]}`;
      }),
      ...references.map((row) => {
        const found = /^FOREIGN KEY (\(.*?\)) REFERENCES (\w+)\(.*?\) ON DELETE (\w+)/.exec(
          String(row.definition),
        );
        return `${row.name} ${found?.[1]} refers to ${found?.[2]}, ${found?.[3]?.toLowerCase()}`;
      }),
    ];
    expect(made.sort()).toEqual(declared.sort());
  });

  test("go forward only, whole or not at all, and once however many begin together", async () => {
    const url = await (await testPostgres()).emptyDatabase();
    expect(await Promise.all([run(url), run(url), run(url)])).toEqual(["done", "done", "done"]);
    const broken = {
      number: POSTGRES_MIGRATIONS.length + 1,
      name: "broken",
      sql: "CREATE TABLE half (id text); SELECT no_such_column;",
    };
    expect(await run(url, [...POSTGRES_MIGRATIONS, broken])).toBe("failed");
    expect(await administer(url, "SELECT to_regclass('half') AS half")).toEqual([{ half: null }]);
    const second = {
      number: POSTGRES_MIGRATIONS.length + 1,
      name: "second",
      sql: "CREATE TABLE second (id text)",
    };
    expect(await run(url, [...POSTGRES_MIGRATIONS, second])).toBe("done");
    expect(await run(url)).toBe("ERR_STATE_NEWER");
    const changed = { ...second, sql: "CREATE TABLE other (id text)" };
    expect(await run(url, [...POSTGRES_MIGRATIONS, changed])).toBe("ERR_STATE_DAMAGED");
  });
});
