/**
 * The SQLite file: created atomically, opened only when it is ours and intact, locked by one process.
 *
 * @module
 */
import { Database } from "bun:sqlite";
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { requirePrivate } from "../../../base/private-file.ts";
import { newId } from "../../../base/random.ts";
import { type Connection, openWriter } from "./connection.ts";
import { asStoreError, damaged } from "./errors.ts";
import { migrate } from "./migrate.ts";

/** "QFaB": distinguishes our file from other SQLite databases. */
const APPLICATION_ID = 0x51466142;
/** https://sqlite.org/fileformat.html section 1.3. The application id is at offset 68. */
const HEADER_BYTES = 100;
/** Larger files are not checked whole at every start, only page by page as SQLite reads them. */
const CHECK_BYTES_MAX = 64 * 1024 * 1024;

/** Held for the life of the process. The system releases it when the process dies. */
export interface FileLock {
  release(): void;
}

/**
 * Locks the data folder for this process, whose caches are right only while no other process writes.
 *
 * Throws ERR_CONFLICT when another process has the lock, ERR_UNAVAILABLE when the disk takes no lock.
 */
export function lockDataFolder(dataDir: string): FileLock {
  const path = join(dataDir, "management.lock");
  closeSync(openSync(path, "a", 0o600));
  const lock = new Database(path, { create: false, readwrite: true });
  try {
    lock.run("PRAGMA busy_timeout = 0");
    lock.run("BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    if ((cause as { code?: unknown }).code !== "SQLITE_BUSY") throw asStoreError(cause, path);
    throw new QfError("ERR_CONFLICT", `another qf management process uses ${dataDir}`, {
      hint: "stop it first, or give another --data-dir",
      cause,
    });
  }
  return { release: () => lock.close() };
}

/**
 * Opens the database for writing and migrates it. The caller holds the lock.
 *
 * Throws ERR_NOT_INITIALISED when there is none and `create` is false, ERR_STATE_DAMAGED (naming the file,
 * which stays untouched) when it is not an intact database of ours.
 */
export function openDatabaseFile(path: string, options: { clock: Clock; create: boolean }): Connection {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) {
    if (!options.create) throw noDatabase(path);
    try {
      createDatabaseFile(path, options.clock);
    } catch (cause) {
      throw asStoreError(cause, path);
    }
  } else {
    for (const suffix of ["", "-wal", "-shm"]) requirePrivate(path + suffix, "the database");
    if (!hasOwnHeader(path)) throw damaged(path);
  }
  let connection: Connection | undefined;
  try {
    connection = openWriter(path);
    checkDatabase(connection.raw, path, size ?? 0);
    migrate(connection.raw, { path, clock: options.clock });
    return connection;
  } catch (cause) {
    connection?.close();
    throw asStoreError(cause, path);
  }
}

export function noDatabase(path: string): QfError {
  return new QfError("ERR_NOT_INITIALISED", `there is no database ${path}`, {
    hint: "run qf management init first",
  });
}

/**
 * Whether the file begins as ours does. Checked before SQLite opens it: with a journal beside it, SQLite
 * would take the journal's first page for the header and overwrite the file from the journal.
 */
function hasOwnHeader(path: string): boolean {
  const header = Buffer.alloc(HEADER_BYTES);
  const file = openSync(path, "r");
  try {
    if (readSync(file, header, 0, HEADER_BYTES, 0) !== HEADER_BYTES) return false;
  } finally {
    closeSync(file);
  }
  return (
    header.toString("latin1", 0, 16) === "SQLite format 3\0" && header.readUInt32BE(68) === APPLICATION_ID
  );
}

/** Creates the file under another name and links it into place, so that a crash leaves no partial file. */
function createDatabaseFile(path: string, clock: Clock): void {
  const folder = dirname(path);
  const prefix = `${basename(path)}.new-`;
  for (const name of readdirSync(folder)) if (name.startsWith(prefix)) unlinkSync(join(folder, name));
  const temporary = join(folder, prefix + newId());
  closeSync(openSync(temporary, "wx", 0o600));
  try {
    fillDatabaseFile(temporary, { path, clock });
  } catch (cause) {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(temporary + suffix, { force: true });
    throw cause;
  }
  linkSync(temporary, path);
  unlinkSync(temporary);
  sync(folder);
}

function fillDatabaseFile(temporary: string, options: { path: string; clock: Clock }): void {
  const connection = openWriter(temporary);
  try {
    connection.raw.run(`PRAGMA application_id = ${APPLICATION_ID}`);
    migrate(connection.raw, options);
    connection.raw.run("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    connection.close();
  }
  sync(temporary);
}

function checkDatabase(raw: Database, path: string, size: number): void {
  const id = raw.query<{ application_id: number }, []>("PRAGMA application_id").get()?.application_id;
  if (id !== APPLICATION_ID) throw damaged(path);
  if (size > CHECK_BYTES_MAX) return;
  const found = raw.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").get()?.quick_check;
  if (found !== "ok") throw damaged(path);
}

function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
