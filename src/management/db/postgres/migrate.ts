/**
 * Migrations of a PostgreSQL database: forward only, all in one transaction, one process at a time.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { sha256 } from "../../../base/random.ts";
import { damaged } from "../engine/errors.ts";
import type { Migration } from "../engine/migrate.ts";
import initial from "../migrations/postgres/0001-initial.sql" with { type: "text" };
import relayLinks from "../migrations/postgres/0002-relay-links.sql" with { type: "text" };
import mapChanges from "../migrations/postgres/0003-map-changes.sql" with { type: "text" };
import nameConfirmed from "../migrations/postgres/0004-name-confirmed.sql" with { type: "text" };
import humanOwners from "../migrations/postgres/0005-human-owners.sql" with { type: "text" };
import loginTokens from "../migrations/postgres/0006-login-tokens.sql" with { type: "text" };
import displayName from "../migrations/postgres/0007-display-name.sql" with { type: "text" };
import vouch from "../migrations/postgres/0008-vouch.sql" with { type: "text" };
import passwordLinks from "../migrations/postgres/0009-password-links.sql" with { type: "text" };
import accountLog from "../migrations/postgres/0010-log.sql" with { type: "text" };
import policyFiles from "../migrations/postgres/0011-policy-files.sql" with { type: "text" };
import webSessions from "../migrations/postgres/0012-web-sessions.sql" with { type: "text" };
import sshSessions from "../migrations/postgres/0013-ssh-sessions.sql" with { type: "text" };
import logOutlets from "../migrations/postgres/0014-log-outlets.sql" with { type: "text" };
import accessRequests from "../migrations/postgres/0015-access-requests.sql" with { type: "text" };
import logKeys from "../migrations/postgres/0016-log-keys.sql" with { type: "text" };
import recordings from "../migrations/postgres/0017-recordings.sql" with { type: "text" };
import rareRows from "../migrations/postgres/0018-rare-rows.sql" with { type: "text" };
import recordingsListed from "../migrations/postgres/0019-recordings-listed.sql" with { type: "text" };
import confirmations from "../migrations/postgres/0020-confirmations.sql" with { type: "text" };
import rollouts from "../migrations/postgres/0021-rollouts.sql" with { type: "text" };
import policyStates from "../migrations/postgres/0022-policy-states.sql" with { type: "text" };
import groupFloors from "../migrations/postgres/0023-group-floors.sql" with { type: "text" };
import ruleUses from "../migrations/postgres/0024-rule-uses.sql" with { type: "text" };
import policySource from "../migrations/postgres/0025-policy-source.sql" with { type: "text" };
import whatChanged from "../migrations/postgres/0026-what-changed.sql" with { type: "text" };
import type { Sql } from "./connection.ts";

/** Never edit a released migration: databases in use hold its checksum. */
export const POSTGRES_MIGRATIONS: readonly Migration[] = [
  { number: 1, name: "initial", sql: initial },
  { number: 2, name: "relay-links", sql: relayLinks },
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

/** Key of the advisory lock held while migrating. Arbitrary, but it must never change. */
const MIGRATION_LOCK = 0x51464d31;

/**
 * Applies missing migrations. Throws ERR_STATE_NEWER when the database has migrations that we do not know,
 * ERR_STATE_DAMAGED when an applied one differs from ours, ERR_NOT_INITIALISED when none was applied and
 * `create` is false. Leaves the database unchanged when it throws.
 */
export async function migratePostgres(
  pool: Sql,
  options: { clock: Clock; create?: boolean; migrations?: readonly Migration[] },
): Promise<void> {
  const { create = true, migrations = POSTGRES_MIGRATIONS } = options;
  await pool.begin(async (tx) => {
    await tx.unsafe("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    await tx.unsafe(
      "CREATE TABLE IF NOT EXISTS schema_migrations (number bigint PRIMARY KEY, " +
        "name text NOT NULL, checksum text NOT NULL, applied_at bigint NOT NULL)",
    );
    const applied = await tx.unsafe<{ number: string; checksum: string }[]>(
      "SELECT number, checksum FROM schema_migrations ORDER BY number",
    );
    if (applied.length === 0 && !create) {
      throw new QfError("ERR_NOT_INITIALISED", "the database is empty", {
        hint: "run qf management init first",
      });
    }
    if (applied.length > migrations.length) {
      throw new QfError("ERR_STATE_NEWER", "the database was written by a newer qf", {
        hint: "run that version or a later one",
      });
    }
    for (const [i, row] of applied.entries()) {
      const ours = migrations[i];
      if (ours === undefined || Number(row.number) !== ours.number || row.checksum !== sha256(ours.sql)) {
        throw damaged("of the database URL");
      }
    }
    for (const { number, name, sql } of migrations.slice(applied.length)) {
      await tx.unsafe(sql);
      await tx.unsafe("INSERT INTO schema_migrations VALUES ($1, $2, $3, $4)", [
        number,
        name,
        sha256(sql),
        nowSeconds(options.clock),
      ]);
    }
  });
}
