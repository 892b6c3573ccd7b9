/**
 * Connections to PostgreSQL, and drizzle over them.
 *
 * Each pool has one purpose, so that waiting in one never blocks another: code inside a transaction may read
 * outside it. The server enforces the time limits, since it outlives its clients.
 *
 * @module
 */
import { drizzle } from "drizzle-orm/pg-proxy";
import postgres from "postgres";
import { assert } from "../../../base/assert.ts";
import type { SqlDatabase } from "../engine/connection.ts";
import type { PostgresTarget } from "./url.ts";

const CONNECT_SECONDS = 10;
const STATEMENT_MS_MAX = 15_000;
/** Longest wait for other processes' writers. */
const LOCK_MS_MAX = 10_000;
/** Longest that a process stalled inside a transaction can block the others. */
const IDLE_IN_TRANSACTION_MS_MAX = 10_000;

export type Sql = postgres.Sql;
/** Runs statements: a pool, or one connection inside a transaction. */
export type Runner = Pick<postgres.ISql, "unsafe">;

export interface PoolOptions {
  /** Connections at most. */
  readonly max: number;
  /** The connection's `application_name`, by which triggers name this process in notifications. */
  readonly processId: string;
  readonly onNotice?: (payload: string) => void;
}

export function openPool(target: PostgresTarget, options: PoolOptions): Sql {
  const { tls } = target;
  return postgres({
    // Lists, because the driver splits a string at colons, which IPv6 addresses contain.
    host: [target.host],
    port: [target.port],
    path: target.host.startsWith("/") ? `${target.host}/.s.PGSQL.${target.port}` : undefined,
    database: target.database,
    username: target.user,
    password: target.password ?? "",
    ssl:
      tls === null
        ? false
        : {
            rejectUnauthorized: tls.rejectUnauthorized,
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.checksName ? {} : { checkServerIdentity: () => undefined }),
          },
    max: options.max,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: CONNECT_SECONDS,
    backoff: () => 0.2,
    fetch_types: false,
    onnotice: () => {},
    ...(options.onNotice === undefined
      ? {}
      : { onnotify: (_: string, text: string) => options.onNotice?.(text) }),
    types: {
      // drizzle serialises and parses JSON itself.
      json: {
        to: 114,
        from: [114, 3802],
        serialize: (text: unknown) => text,
        parse: (text: unknown) => text,
      },
    },
    connection: {
      application_name: options.processId,
      client_encoding: "UTF8",
      synchronous_commit: "on",
      statement_timeout: STATEMENT_MS_MAX,
      lock_timeout: LOCK_MS_MAX,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS_MAX,
    },
  } as unknown as postgres.Options<Record<string, never>>);
}

/** A drizzle database over `runner`, usable while `isOpen()` holds. */
export function databaseOver(runner: Runner, isOpen: () => boolean): SqlDatabase {
  const database = drizzle(async (sql, params, method) => {
    assert(isOpen(), "a query runs inside its own transaction");
    const query = runner.unsafe(sql, params, { prepare: true });
    return { rows: method === "all" ? await query.values() : [...(await query)] };
  });
  return database as unknown as SqlDatabase;
}
