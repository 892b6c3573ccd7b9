/**
 * Connections to SQLite, one that writes and others read-only: bun:sqlite behind drizzle's `sqlite-proxy`.
 *
 * bun:sqlite is synchronous, so a statement is one step. Transactions are in `sqlite-engine.ts`.
 *
 * @module
 */
import { Database, type SQLQueryBindings, type Statement } from "bun:sqlite";
import { drizzle, type SqliteRemoteDatabase } from "drizzle-orm/sqlite-proxy";
import { assert } from "../../../base/assert.ts";

/** Longest wait for another process's lock. */
const BUSY_TIMEOUT_MS = 5_000;
/** Prepared statements cached per connection. Lists of varying length make new ones. */
const STATEMENTS_MAX = 256;

/** The database that queries are written against. Only the engine begins transactions. */
export type SqlDatabase = Omit<SqliteRemoteDatabase<Record<string, never>>, "transaction" | "batch">;

export interface Connection {
  /** Runs statements that return nothing and take no parameters. */
  execute(sql: string): void;
  /** A drizzle database over this connection, usable while `isOpen()` holds. */
  database(isOpen: () => boolean): SqlDatabase;
  readonly raw: Database;
  close(): void;
}

/** Opens the writing connection, on which every acknowledged commit has reached the disk. */
export function openWriter(path: string): Connection {
  const raw = new Database(path, { readwrite: true, create: false, strict: true });
  try {
    raw.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    raw.run("PRAGMA journal_mode = WAL");
    raw.run("PRAGMA synchronous = FULL");
    raw.run("PRAGMA foreign_keys = ON");
    raw.run("PRAGMA trusted_schema = OFF");
  } catch (cause) {
    raw.close();
    throw cause;
  }
  return wrap(raw);
}

/** Opens a read-only connection, which sees committed rows only. */
export function openReader(path: string): Connection {
  const raw = new Database(path, { readonly: true, strict: true });
  raw.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  raw.run("PRAGMA query_only = ON");
  raw.run("PRAGMA trusted_schema = OFF");
  return wrap(raw);
}

function wrap(raw: Database): Connection {
  const statements = new Map<string, Statement>();
  const prepare = (sql: string): Statement => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = raw.prepare(sql);
    statements.set(sql, statement);
    if (statements.size > STATEMENTS_MAX) {
      const [oldest] = statements;
      if (oldest !== undefined) {
        statements.delete(oldest[0]);
        oldest[1].finalize();
      }
    }
    return statement;
  };
  return {
    raw,
    execute: (sql) => {
      raw.run(sql);
    },
    database: (isOpen) =>
      drizzle(async (sql, params, method) => {
        assert(isOpen(), "a query runs inside its own transaction");
        const statement = prepare(sql);
        const bindings = params as SQLQueryBindings[];
        if (method === "run") {
          statement.run(...bindings);
          return { rows: [] };
        }
        const rows = statement.values(...bindings);
        // For `get`, drizzle wants the row itself, although its types say a list.
        return { rows: method === "get" ? ((rows[0] ?? undefined) as unknown as unknown[]) : rows };
      }),
    close: () => {
      for (const statement of statements.values()) statement.finalize();
      statements.clear();
      raw.close();
    },
  };
}
