import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { silentLog } from "../../../src/base/log.ts";
import { appendEvents, systemInitiator } from "../../../src/management/db/tables/audit-events.ts";
import { openAuditFile } from "../../../src/management/log/audit-file.ts";
import { aManagement, anAccount } from "../../support/management.ts";
import { tempFolder } from "../../support/temp-folder.ts";

async function aLog() {
  const { store, logs } = aManagement();
  const { accountId } = await anAccount(store);
  await logs.begin(accountId);
  const folder = tempFolder();
  const path = join(folder, "audit.log");
  const grow = (count: number) =>
    store.transaction((tx) => {
      const events = Array.from({ length: count }, () => ({ activity: "login" as const, targetId: "" }));
      return appendEvents(tx, accountId, systemInitiator, events);
    });
  const written = (name = path): number[] =>
    readFileSync(name, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
      .map((line) => (line.account_id === accountId ? line.entry.seq : Number.NaN));
  return { store, path, folder, grow, written, deps: { store, log: silentLog } };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("every entry is written, in order, also those from before and over a restart", async () => {
  const { path, grow, written, deps } = await aLog();
  await grow(700);
  const first = await openAuditFile(path, deps);
  expect(written()).toEqual(numbers(1, 701));
  await grow(3);
  expect(await first.lag()).toBe(3);
  await first.close();
  expect(written()).toEqual(numbers(1, 704));
  await grow(2);
  const second = await openAuditFile(path, deps);
  expect(written()).toEqual(numbers(1, 706));
  expect(await second.lag()).toBe(0);
  await second.close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a file that was moved away is begun anew where it was", async () => {
  const { path, grow, written, deps } = await aLog();
  const file = await openAuditFile(path, deps);
  renameSync(path, `${path}.1`);
  await grow(2);
  await file.flush();
  expect([written(`${path}.1`), written()]).toEqual([[1], [2, 3]]);
  await file.close();
});

test("what cannot be written waits, and is written once it can be", async () => {
  const { path, grow, written, deps } = await aLog();
  const file = await openAuditFile(path, deps);
  rmSync(path);
  mkdirSync(path);
  chmodSync(path, 0o700);
  await grow(2);
  await expect(file.flush()).rejects.toThrow();
  rmSync(path, { recursive: true });
  await file.flush();
  expect(written()).toEqual([2, 3]);
  await file.close();
});

test("a file that cannot be written at all is said at the start", async () => {
  const { folder, deps } = await aLog();
  await expect(openAuditFile(join(folder, "not-there", "audit.log"), deps)).rejects.toThrow();
});
