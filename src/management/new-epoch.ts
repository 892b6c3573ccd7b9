/**
 * An older copy of the data was put back: machines refuse its maps, since they have newer ones, until an
 * administrator says that this is meant. That word is a new epoch, of which every map is.
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
 * Begins a new epoch. Throws ERR_CONFLICT while a server has the data folder, ERR_NOT_INITIALISED when
 * there is nothing in it.
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
      // By the clock, so that it is new also when the same copy is put back a second time.
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
