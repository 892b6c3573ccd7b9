import { expect, test } from "bun:test";
import { join } from "node:path";
import { isQfError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { openStore, type Store } from "../../src/management/db/store.ts";
import { findEpoch, findVersion } from "../../src/management/db/tables/accounts.ts";
import { listEvents } from "../../src/management/db/tables/audit-events.ts";
import { initManagement } from "../../src/management/init.ts";
import { beginEpoch } from "../../src/management/new-epoch.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { tempFolder } from "../support/temp-folder.ts";

const clock = new FakeClock();
const owner = { ownerEmail: "olga@example.com", ownerPassword: "correct horse" };
const codeOf = (cause: unknown): string => (isQfError(cause) ? cause.code : String(cause));
const open = (dataDir: string): Store => openStore({ dataDir, clock, log: silentLog, create: false });

test("each epoch is newer than all before, by the clock and not by the copy alone, and is evidence", async () => {
  const dataDir = join(tempFolder(), "management");
  const { accountId } = await initManagement({ dataDir, clock, ...owner });
  const first = await beginEpoch({ dataDir, clock });
  expect(first.epoch).toBe(Math.floor(clock.nowMs() / 1000));
  expect((await beginEpoch({ dataDir, clock })).epoch).toBe(first.epoch + 1);
  const store = open(dataDir);
  await store.read(async (tx) => {
    expect(await findEpoch(tx)).toBe(first.epoch + 1);
    expect(await findVersion(tx, accountId)).toBe(3);
    const events = await listEvents(tx, accountId, { limit: 5 });
    expect(events.map(({ activity }) => activity)).toEqual([
      "management.epoch",
      "management.epoch",
      "account.create",
    ]);
  });
  await store.close();
});

test("a folder that a server holds, or that has no account, is left alone", async () => {
  const dataDir = join(tempFolder(), "management");
  await initManagement({ dataDir, clock, ...owner });
  const store = open(dataDir);
  expect(await beginEpoch({ dataDir, clock }).catch(codeOf)).toBe("ERR_CONFLICT");
  expect(await store.read(findEpoch)).toBe(1);
  await store.close();
  expect(await beginEpoch({ dataDir: join(tempFolder(), "none"), clock }).catch(codeOf)).toBe(
    "ERR_NOT_INITIALISED",
  );
});
