/**
 * Migrations of an SQLite database: forward only, one transaction each, recorded with their checksums.
 *
 * @module
 */
import type { Database } from "bun:sqlite";
import type { Clock } from "../../../base/clock.ts";
import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { sha256 } from "../../../base/random.ts";
import initial from "../migrations/sqlite/0001-initial.sql" with { type: "text" };
import loginToken from "../migrations/sqlite/0002-login-token.sql" with { type: "text" };
import mapChanges from "../migrations/sqlite/0003-map-changes.sql" with { type: "text" };
import nameConfirmed from "../migrations/sqlite/0004-name-confirmed.sql" with { type: "text" };
import humanOwners from "../migrations/sqlite/0005-human-owners.sql" with { type: "text" };
import loginTokens from "../migrations/sqlite/0006-login-tokens.sql" with { type: "text" };
import displayName from "../migrations/sqlite/0007-display-name.sql" with { type: "text" };
import vouch from "../migrations/sqlite/0008-vouch.sql" with { type: "text" };
import passwordLinks from "../migrations/sqlite/0009-password-links.sql" with { type: "text" };
import accountLog from "../migrations/sqlite/0010-log.sql" with { type: "text" };
import policyFiles from "../migrations/sqlite/0011-policy-files.sql" with { type: "text" };
import webSessions from "../migrations/sqlite/0012-web-sessions.sql" with { type: "text" };
import sshSessions from "../migrations/sqlite/0013-ssh-sessions.sql" with { type: "text" };
import logOutlets from "../migrations/sqlite/0014-log-outlets.sql" with { type: "text" };
import accessRequests from "../migrations/sqlite/0015-access-requests.sql" with { type: "text" };
import logKeys from "../migrations/sqlite/0016-log-keys.sql" with { type: "text" };
import recordings from "../migrations/sqlite/0017-recordings.sql" with { type: "text" };
import rareRows from "../migrations/sqlite/0018-rare-rows.sql" with { type: "text" };
import recordingsListed from "../migrations/sqlite/0019-recordings-listed.sql" with { type: "text" };
import confirmations from "../migrations/sqlite/0020-confirmations.sql" with { type: "text" };
import rollouts from "../migrations/sqlite/0021-rollouts.sql" with { type: "text" };
import policyStates from "../migrations/sqlite/0022-policy-states.sql" with { type: "text" };
import groupFloors from "../migrations/sqlite/0023-group-floors.sql" with { type: "text" };
import ruleUses from "../migrations/sqlite/0024-rule-uses.sql" with { type: "text" };
import policySource from "../migrations/sqlite/0025-policy-source.sql" with { type: "text" };
import whatChanged from "../migrations/sqlite/0026-what-changed.sql" with { type: "text" };
import { damaged } from "./errors.ts";

export interface Migration {
  /** 1, 2, 3 … without gaps. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

/** Never edit a released migration: databases in use hold its checksum. */
export const SQLITE_MIGRATIONS: readonly Migration[] = [
  { number: 1, name: "initial", sql: initial },
  { number: 2, name: "login-token", sql: loginToken },
  { number: 3, name: "map-changes", sql: mapChanges },
  { number: 4, name: "name-confirmed", sql: nameConfirmed },
  { number: 5, name: "human-owners", sql: humanOwners },
  { number: 6, name: "login-tokens", sql: loginTokens },
  { number: 7, name: "display-name", sql: displayName },
  { number: 8, name: "vouch", sql: vouch },
  { number: 9, name: "password-links", sql: passwordLinks },
  { number: 10, name: "log", sql: accountLog },
  { number: 11, name: "policy-files", sql: policyFiles },
  { number: 12, name: "web-sessions", sql: webSessions },
  { number: 13, name: "ssh-sessions", sql: sshSessions },
  { number: 14, name: "log-outlets", sql: logOutlets },
  { number: 15, name: "access-requests", sql: accessRequests },
  { number: 16, name: "log-keys", sql: logKeys },
  { number: 17, name: "recordings", sql: recordings },
  { number: 18, name: "rare-rows", sql: rareRows },
  { number: 19, name: "recordings-listed", sql: recordingsListed },
  { number: 20, name: "confirmations", sql: confirmations },
  { number: 21, name: "rollouts", sql: rollouts },
  { number: 22, name: "policy-states", sql: policyStates },
  { number: 23, name: "group-floors", sql: groupFloors },
  { number: 24, name: "rule-uses", sql: ruleUses },
  { number: 25, name: "policy-source", sql: policySource },
  { number: 26, name: "what-changed", sql: whatChanged },
];

/**
 * Applies missing migrations. Throws ERR_STATE_NEWER when the database has migrations that we do not know,
 * ERR_STATE_DAMAGED when an applied one differs from ours.
 */
export function migrate(
  database: Database,
  options: { path: string; clock: Clock; migrations?: readonly Migration[] },
): void {
  const migrations = options.migrations ?? SQLITE_MIGRATIONS;
  database.run(
    "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY NOT NULL, " +
      "name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT",
  );
  const applied = appliedMigrations(database);
  const newest = applied.at(-1);
  if (newest !== undefined && newest.number > migrations.length) {
    throw new QfError("ERR_STATE_NEWER", `the database ${options.path} was written by a newer qf`, {
      hint: "run that version or a later one",
    });
  }
  for (const [i, row] of applied.entries()) {
    const ours = migrations[i];
    if (ours === undefined || row.number !== ours.number || row.checksum !== sha256(ours.sql)) {
      throw damaged(options.path);
    }
  }
  for (const migration of migrations.slice(applied.length)) {
    apply(database, migration, nowSeconds(options.clock));
  }
}

function appliedMigrations(database: Database): { number: number; checksum: string }[] {
  return database
    .query<{ number: number; checksum: string }, []>(
      "SELECT number, checksum FROM schema_migrations ORDER BY number",
    )
    .all();
}

function apply(database: Database, migration: Migration, atSeconds: number): void {
  database.run("BEGIN IMMEDIATE");
  try {
    database.run(migration.sql);
    database
      .query("INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)")
      .run(migration.number, migration.name, sha256(migration.sql), atSeconds);
    database.run("COMMIT");
  } catch (cause) {
    // When the disk is full, SQLite rolls the transaction back by itself.
    if (database.inTransaction) database.run("ROLLBACK");
    throw cause;
  }
}
