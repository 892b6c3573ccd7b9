/**
 * A new epoch after an older backup was restored. Machines have newer maps and refuse those of the restored
 * data until an administrator confirms the restore: every map carries the epoch, and a newer epoch wins.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { type Clock, nowSeconds, systemClock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import { type Log, silentLog } from "../base/log.ts";
import type { NewEpochResult } from "../wire/admin-api.ts";
import { openAnyStore } from "./db/open.ts";
import { findEpoch, listAccounts, putMeta } from "./db/tables/accounts.ts";
import { systemInitiator } from "./db/tables/audit-events.ts";

export interface NewEpochOptions {
  readonly dataDir: string;
  /** `postgres://…`. Absent: SQLite in the data folder. */
  readonly databaseUrl?: string;
  readonly clock?: Clock;
  readonly log?: Log;
}

/**
 * Begins a new epoch. Throws ERR_CONFLICT while a server has the data folder, ERR_NOT_INITIALISED when the
 * folder holds no account.
 */
export async function beginEpoch(options: NewEpochOptions): Promise<NewEpochResult> {
  const { dataDir, databaseUrl, clock = systemClock, log = silentLog } = options;
  if (databaseUrl === undefined && !existsSync(dataDir)) throw notInitialised(dataDir);
  const store = await openAnyStore({ dataDir, databaseUrl, clock, log, create: false });
  try {
    const [first, ...others] = await store.read(listAccounts);
    if (first === undefined) throw notInitialised(dataDir);
    const told = { initiator: systemInitiator, affectsMaps: true };
    const change = { ...told, accountId: first.id };
    const epoch = await store.change(change, async (tx) => {
      // Taken from the clock, so that restoring the same backup a second time gives a new one again.
      const next = Math.max((await findEpoch(tx)) + 1, nowSeconds(tx.clock));
      await putMeta(tx, "epoch", String(next));
      tx.record({ activity: "management.epoch", targetId: first.id, meta: { epoch: String(next) } });
      return next;
    });
    for (const { id } of others) await store.change({ ...told, accountId: id }, async () => {});
    return { epoch };
  } finally {
    await store.close();
  }
}

function notInitialised(dataDir: string): QfError {
  return new QfError("ERR_NOT_INITIALISED", `there is no account in ${dataDir}`, {
    hint: "give the --data-dir or the database that qf management serve runs with",
  });
}
