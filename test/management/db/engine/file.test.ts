import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../../../src/base/errors.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { openStore, type Store } from "../../../../src/management/db/store.ts";
import { findAccount, putMeta } from "../../../../src/management/db/tables/accounts.ts";
import { codeThrownBy } from "../../../support/failure.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { tempFolder } from "../../../support/temp-folder.ts";

let dataDir: string;
let store: Store;
const open = (create = false): Store =>
  openStore({ dataDir, clock: new FakeClock(), log: silentLog, create });

beforeEach(() => {
  dataDir = tempFolder();
  store = open(true);
});
afterEach(() => store.close());

test("a second process is kept out of the data folder", async () => {
  expect(codeThrownBy(open)).toBe("ERR_CONFLICT");
  await store.close();
  store = open();
  expect(await store.read((tx) => findAccount(tx, "acc"))).toBeUndefined();
});

test("the database and its companions are for their owner only", async () => {
  await store.transaction((tx) => putMeta(tx, "epoch", "1"));
  for (const name of ["management.db", "management.db-wal", "management.db-shm"]) {
    expect(statSync(join(dataDir, name)).mode & 0o077).toBe(0);
  }
});

test("there is no database without being asked for one", async () => {
  await store.close();
  dataDir = tempFolder();
  expect(codeThrownBy(open)).toBe("ERR_NOT_INITIALISED");
  store = open(true);
});

test.each([
  { name: "cut to nothing", damage: (path: string) => truncateSync(path, 0) },
  { name: "overwritten with text", damage: (path: string) => writeFileSync(path, "hello".repeat(2000)) },
  {
    name: "cut in half",
    damage: (path: string) => truncateSync(path, Math.floor(statSync(path).size / 2 / 4096) * 4096),
  },
  {
    name: "damaged in its middle",
    damage: (path: string) => {
      const bytes = readFileSync(path);
      bytes.fill(0xff, 4096, 4096 * 6);
      writeFileSync(path, bytes);
    },
  },
  {
    name: "another program's",
    damage: (path: string) => {
      const bytes = readFileSync(path);
      bytes.writeUInt32BE(7, 68);
      writeFileSync(path, bytes);
    },
  },
])("a database that is $name is refused by name and left as it is", async ({ damage }) => {
  await store.close();
  const path = join(dataDir, "management.db");
  damage(path);
  const before = readFileSync(path);
  for (const create of [false, true]) {
    let error: unknown;
    try {
      await open(create).close();
    } catch (cause) {
      error = cause;
    }
    expect(isQfError(error, "ERR_STATE_DAMAGED")).toBe(true);
    expect(isQfError(error) ? error.message : "").toContain(path);
  }
  expect(readFileSync(path).equals(before)).toBe(true);
});
