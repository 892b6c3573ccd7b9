/** On PostgreSQL, where servers may run meanwhile: they hear of a new epoch as of any change. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { openPostgresStore } from "../../../src/management/db/postgres/store.ts";
import { findEpoch } from "../../../src/management/db/tables/accounts.ts";
import { initManagement } from "../../../src/management/init.ts";
import { beginEpoch } from "../../../src/management/new-epoch.ts";
import { hasPostgres, testPostgres } from "../../support/postgres.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

test.skipIf(!hasPostgres)("a new epoch reaches a process that runs on the database", async () => {
  const databaseUrl = await (await testPostgres()).emptyDatabase();
  const dataDir = join(tempFolder(), "management");
  const owner = { ownerEmail: "olga@example.com", ownerPassword: "correct horse" };
  const { accountId } = await initManagement({ dataDir, databaseUrl, ...owner });
  const store = await openPostgresStore({ databaseUrl, clock: systemClock, log: silentLog });
  const changed: string[] = [];
  store.onChange((id) => changed.push(id));
  const { epoch } = await beginEpoch({ dataDir, databaseUrl });
  expect(await store.read(findEpoch)).toBe(epoch);
  await until("the change", () => changed.includes(accountId));
  await store.close();
});
